#include "app/client_id.hpp"

#include "base/log.hpp"

namespace botel::app {
namespace {

// Empty: none.
Result<std::string> name_in(store::Store& store) {
  std::string name;
  const auto found = store.load({.session = [&](const store::Session& session) { name = session.client_id; }});
  if (!found) return tl::unexpected(found.error());
  return name;
}

Result<> keep(store::Store& store, const std::string& name) {
  store::Batch batch;
  batch.session = store::Session{name};
  return store.commit(batch);
}

Result<bool> has_conversations(store::Store& store) {
  bool has = false;
  const auto found = store.load({.actor = [&](const store::Actor&, const store::State&) { has = true; }});
  if (!found) return tl::unexpected(found.error());
  return has;
}

void warn_of_leaving(const std::string& name, const std::string& next) {
  log::warning(
      "the client id was {} and is {} now: what the broker keeps for {} does not come here, and that session collects "
      "messages until it expires",
      log::printable(name), log::printable(next), log::printable(name));
}

// A file of an older Botel does not know the name.
Result<std::string> name_of(const DataFolder& folder, store::Store* store) {
  const bool is_known = !folder.known_client_id().empty();
  auto name = folder.client_id();
  if (!name || is_known || !store) return name;
  const auto has = has_conversations(*store);
  if (!has) return tl::unexpected(has.error());
  if (*has) {
    log::warning(
        "there are conversations, but no file client-id: what the broker keeps for the client id under which they were "
        "served does not come here; set client_id to that one");
  }
  return name;
}

Result<std::string> unconfigured(const std::string& kept, const DataFolder& folder, store::Store* store) {
  if (kept.empty()) return name_of(folder, store);
  const std::string other = folder.known_client_id();
  if (other == kept) return kept;
  if (!other.empty()) warn_of_leaving(other, kept);
  if (auto done = folder.keep_client_id(kept); !done) return tl::unexpected(done.error());
  return kept;
}

}  // namespace

Result<std::string> choose_client_id(const std::string& configured, const DataFolder& folder, store::Store* store) {
  const auto kept = store ? name_in(*store) : Result<std::string>("");
  if (!kept) return kept;
  auto name = configured.empty() ? unconfigured(*kept, folder, store) : configured;
  if (!name || !store || *name == *kept) return name;
  if (!kept->empty()) warn_of_leaving(*kept, *name);
  if (auto done = keep(*store, *name); !done) return tl::unexpected(done.error());
  return name;
}

}  // namespace botel::app
