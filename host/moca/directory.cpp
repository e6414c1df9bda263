#include "moca/directory.hpp"

#include <iterator>
#include <memory>
#include <utility>

namespace botel::moca {

void Directory::put(store::ActorId actor, std::string_view kind, Item item, std::uint64_t number) {
  ++changes_;
  items_.push_back({actor, std::string(kind), std::move(item.id), std::move(item.chat), item.time_ms,
                    static_cast<std::int64_t>(number), std::move(item.json)});
}

void Directory::wipe(store::ActorId actor) {
  ++changes_;
  std::erase_if(items_, [&](const store::Item& item) { return item.actor == actor; });
  gone_.push_back(actor);
}

void Directory::find(store::ItemQuery query, Found done) {
  Waiting waiting{std::move(query), std::move(done), changes_};
  waiting.change <= saved_ ? run(std::move(waiting)) : waiting_.push_back(std::move(waiting));
}

void Directory::run(Waiting waiting) {
  jobs_.run([this, query = std::move(waiting.query), done = std::move(waiting.done)]() -> JobThread::Then {
    return [done, found = store_.items(query)] { done(found); };
  });
}

void Directory::save(store::Batch& batch) {
  batch.items_gone = std::exchange(gone_, {});
  batch.items = std::exchange(items_, {});
  given_ = changes_;
}

void Directory::saved() {
  saved_ = given_;
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    waiting.change <= saved_ ? run(std::move(waiting)) : waiting_.push_back(std::move(waiting));
  }
}

}  // namespace botel::moca
