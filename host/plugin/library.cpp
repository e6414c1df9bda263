#include "plugin/library.hpp"

#include <algorithm>
#include <utility>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include "base/log.hpp"
#include "plugin/inspect.hpp"

namespace botel::plugin {
namespace {

namespace fs = std::filesystem;

// A loaded copy, which goes when the last instance has gone.
struct Library {
  Library(fs::path copied, boost::dll::shared_library loaded) : copy(std::move(copied)), image(std::move(loaded)) {}
  ~Library() {
    std::error_code ignored;
    fs::remove(copy, ignored);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const fs::path copy;
  const boost::dll::shared_library image;
};

Result<fs::path> make_copy(const fs::path& file, const fs::path& cache) {
  static int copies = 0;
  fs::path copy = cache / fmt::format("{}.{}.so", file.stem().string(), ++copies);
  std::error_code error;
  fs::copy_file(file, copy, fs::copy_options::overwrite_existing, error);
  if (error) return failure("it cannot be copied to {}: {}", cache.string(), error.message());
  return copy;
}

// What a host that was killed has left behind.
void remove_copies(const fs::path& cache) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(cache, error)) {
    if (entry.is_regular_file(error) && entry.path().extension() == ".so") fs::remove(entry.path(), error);
  }
}

Result<const botel_entry*> find_entry(const boost::dll::shared_library& image) {
  if (!image.has(BOTEL_ENTRY_SYMBOL)) return failure("it does not export {}", BOTEL_ENTRY_SYMBOL);
  const auto& entry = image.get<const botel_entry>(BOTEL_ENTRY_SYMBOL);
  if (entry.size < BOTEL_ENTRY_SIZE_1 || !entry.descriptors || entry.abi_major != BOTEL_ABI_MAJOR ||
      entry.abi_minor > BOTEL_ABI_MINOR) {
    return failure("its entry is cut off, or built for another ABI than its note");
  }
  return &entry;
}

// What the descriptor says must be what the note says, or the judgement was about something else.
Result<> check(const botel_descriptor* descriptor, const Item& item) {
  if (!descriptor || descriptor->size < BOTEL_DESCRIPTOR_SIZE_1) return failure("a descriptor is cut off");
  if (!descriptor->id || !descriptor->version) return failure("a descriptor has no id or version");
  const Item found{descriptor->kind, descriptor->id, descriptor->version, descriptor->schema_written,
                   descriptor->schema_oldest};
  if (found != item) return failure("its descriptor {} is not the one of its note", log::printable(found.id));
  if (!descriptor->create || !descriptor->destroy || !descriptor->handle) {
    return failure("its descriptor {} lacks create, destroy or handle", found.id);
  }
  return {};
}

}  // namespace

Result<std::vector<Offer>> load(const fs::path& file, const fs::path& cache) {
  const auto copy = make_copy(file, cache);
  if (!copy) return tl::unexpected(copy.error());
  // The copy is what is judged, as the file may change at any moment.
  const auto items = inspect(*copy);
  if (!items) {
    std::error_code ignored;
    fs::remove(*copy, ignored);
    return tl::unexpected(items.error());
  }
  std::shared_ptr<const Library> library;
  try {
    using boost::dll::load_mode::rtld_local;
    using boost::dll::load_mode::rtld_now;
    library = std::make_shared<const Library>(*copy, boost::dll::shared_library(*copy, rtld_now | rtld_local));
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove(*copy, ignored);
    return failure("{}", error.what());
  }
  const auto entry = find_entry(library->image);
  if (!entry) return tl::unexpected(entry.error());
  if ((*entry)->count != items->size()) return failure("its entry and its note list different bots");

  std::vector<Offer> offers;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const botel_descriptor* const descriptor = (*entry)->descriptors[i];
    if (auto checked = check(descriptor, (*items)[i]); !checked) return tl::unexpected(checked.error());
    offers.push_back({descriptor, library, file});
  }
  return offers;
}

Result<std::vector<Offer>> load_all(const fs::path& folder, const fs::path& cache) {
  std::error_code error;
  fs::create_directories(cache, error);
  if (error) return failure("{}: {}", cache.string(), error.message());
  remove_copies(cache);

  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".so") && !name.starts_with('.')) files.push_back(entry.path());
  }
  if (error) return failure("plugins folder {}: {}", folder.string(), error.message());
  std::ranges::sort(files);

  std::vector<Offer> all;
  for (const auto& file : files) {
    auto offers = load(file, cache);
    if (!offers) {
      log::error("{} is not loaded: {}", file.string(), offers.error());
      continue;
    }
    for (Offer& offer : *offers) {
      const auto same = [&](const Offer& other) {
        return std::string_view(other.descriptor->id) == offer.descriptor->id;
      };
      const auto other = std::ranges::find_if(all, same);
      if (other != all.end()) {
        log::error("{}: {} is not taken, {} offers it already", file.string(), offer.descriptor->id,
                   other->file.string());
        continue;
      }
      log::info("{}: {} {}", file.string(), offer.descriptor->id, offer.descriptor->version);
      all.push_back(std::move(offer));
    }
  }
  return all;
}

}  // namespace botel::plugin
