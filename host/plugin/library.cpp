#include "plugin/library.hpp"

#include <cxxabi.h>
#include <link.h>

#include <cstdlib>
#include <string_view>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include "base/log.hpp"
#include "plugin/elf.hpp"

namespace botel::plugin {
namespace {

namespace fs = std::filesystem;

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

// Boost says `...load() failed (dlerror system message: COPY: WHY): Bad file descriptor`.
std::string words_of_the_linker(std::string_view said, const fs::path& copy) {
  constexpr std::string_view before = "dlerror system message: ";
  const auto begin = said.find(before), end = said.rfind(')');
  if (begin == std::string_view::npos || end == std::string_view::npos) return std::string(said);
  said = said.substr(begin + before.size(), end - begin - before.size());
  if (const std::string path = copy.string() + ": "; said.starts_with(path)) said.remove_prefix(path.size());
  return std::string(said);
}

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status),
                                                    std::free);
  return name ? name.get() : symbol;
}

// The linker does not say it.
std::string why_it_stays(const fs::path& copy) {
  const auto file = elf::read(copy);
  if (file && elf::is_never_unloaded(*file)) return "it is linked with -z nodelete";
  if (const auto symbol = file ? elf::unique_symbol(*file) : ""; !symbol.empty()) {
    return fmt::format(
        "its symbol {} is one for the whole process, its next version included: build it with -fno-gnu-unique",
        log::printable(demangled(symbol), 100));
  }
  return "something holds it in memory, such as a thread_local with a destructor";
}

}  // namespace

struct Library::Image {
  boost::dll::shared_library library;
};

Library::Library(fs::path copy) : copy_(std::move(copy)), image_(std::make_unique<Image>()) {}

Library::~Library() {
  if (image_) [[maybe_unused]]
    const auto done = unload();
}

Result<std::shared_ptr<Library>> Library::load(fs::path copy, const std::vector<Item>& items) {
  std::shared_ptr<Library> library(new Library(std::move(copy)));
  if (auto opened = library->open(); !opened) return tl::unexpected(opened.error());
  if (auto found = library->find_descriptors(items); !found) {
    const auto gone = library->unload();
    return gone ? failure("{}", found.error()) : failure("{}; and it stays in memory: {}", found.error(), gone.error());
  }
  return library;
}

Result<> Library::open() try {
  using boost::dll::load_mode::rtld_local;
  using boost::dll::load_mode::rtld_now;
  const Scope scope(this);  // constructors
  image_->library.load(copy_, rtld_now | rtld_local);
  return {};
} catch (const std::exception& error) {
  return failure("it cannot be loaded: {}", log::printable(words_of_the_linker(error.what(), copy_), 500));
}

Result<> Library::find_descriptors(const std::vector<Item>& items) {
  if (!image_->library.has(BOTEL_ENTRY_SYMBOL)) return failure("it does not export {}", BOTEL_ENTRY_SYMBOL);
  const auto& entry = image_->library.get<const botel_entry>(BOTEL_ENTRY_SYMBOL);
  if (entry.size < BOTEL_ENTRY_SIZE_1 || !entry.descriptors || entry.abi_major != BOTEL_ABI_MAJOR ||
      entry.abi_minor > BOTEL_ABI_MINOR) {
    return failure("its entry is cut off, or built for another ABI than its note");
  }
  if (entry.count != items.size()) return failure("its entry and its note list different bots");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto checked = check(entry.descriptors[i], items[i]); !checked) return checked;
    descriptors_.push_back(entry.descriptors[i]);
  }
  return {};
}

Result<> Library::unload() {
  const auto image = std::move(image_);
  if (const auto running = threads()) {
    // Without its code they would crash the process.
    static auto& kept = *new std::vector<boost::dll::shared_library>;
    kept.push_back(std::move(image->library));
    return failure("{} of its threads still run", running);
  }
  {
    const Scope scope(this);  // destructors
    image->library.unload();
  }
  if (is_mapped(copy_)) return failure("{}", why_it_stays(copy_));
  return {};
}

bool Library::is_mapped(const fs::path& copy) {
  struct Search {
    std::string_view name;
    bool found = false;
  } search{copy.native()};
  dl_iterate_phdr(
      [](dl_phdr_info* image, std::size_t, void* context) {
        Search& wanted = *static_cast<Search*>(context);
        wanted.found = image->dlpi_name && wanted.name == image->dlpi_name;
        return wanted.found ? 1 : 0;
      },
      &search);
  return search.found;
}

}  // namespace botel::plugin
