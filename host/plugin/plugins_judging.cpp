// The fourth part of Plugins: what speaks for a version, and against it.
#include <algorithm>
#include <iterator>

#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/file.hpp"

namespace botel::plugin {

using From = Wish::From;

namespace {

std::string schemas(const Item& item) {
  if (item.schema_oldest == item.schema_written) return fmt::format("schema {}", item.schema_written);
  return fmt::format("the schemas {} to {}", item.schema_oldest, item.schema_written);
}

}  // namespace

// A folder that is not there for a while, as when a file system is unmounted, retires nobody: the watcher knows.
bool Plugins::may_be_gone(const File& file) const { return file.first || !file.now || file.candidate->wish.told; }

// The same content again is no other version; what was refused is not tried again by itself.
bool Plugins::is_settled(File& file) {
  const Wish wish = file.candidate->wish;
  const std::string hash = file.candidate->sha256;
  if (wish.from != From::folder) return false;
  if (file.now && file.now->sha256 == hash) {
    if (!is_as_it_shall_be(file, wish)) return false;
    throw_away(file);
    file.refusal.reset();
    if (file.health == File::Health::failing && wish.by_hand) {
      try_again(file);
    } else if (file.health == File::Health::failing) {
      finish(file, false, describe(file.now->note) + " is failing, and waits for another version");
    } else {
      finish(file, true, describe(file.now->note) + " is there already", !file.last.good);
    }
    return true;
  }
  const bool rolled_back = hash == entry(file).refused && !wish.by_hand;
  const bool refused = file.refusal && file.refusal->sha256 == hash && !wish.again && !wish.told;
  if (wish.last_resort || (!rolled_back && !refused)) return false;
  const std::string why = rolled_back ? kRolledBack : file.refusal->why;
  file.refusal = {hash, why, file.candidate->names()};
  throw_away(file);
  std::optional<Wish> instead;
  if (!file.now && file.first && entry(file).active) instead = Wish{.from = From::active};
  log::error("{} is refused as before: {}{}", file.name, why, describe_what_goes_on(file, instead));
  if (instead) {
    look(file, *instead);
  } else {
    finish(file, false, why);
  }
  return true;
}

// What it has done to an earlier run; empty: nothing.
std::string Plugins::crash_objection(const File& file, const Candidate& candidate) const {
  if (!black_box_ || !black_box_->condemned(candidate.task())) return "";
  return fmt::format("it has crashed the host while it was being loaded; `botel reload {}` tries it again", file.name);
}

// What serves needs no other look.
bool Plugins::is_as_it_shall_be(const File& file, const Wish& wish) const {
  const Generation& now = *file.now;
  const auto is_unreadable = [&](const Item& item) {
    return std::ranges::any_of(now.parts, [&](const Part& part) {
      return part.role->name() == item.id && part.role->unreadable(item.schema_oldest, item.schema_written) > 0;
    });
  };
  if (wish.restart_rooms && std::ranges::any_of(now.note.items, is_unreadable)) return false;
  return parts_of(now.note) == now.parts;
}

// A version that took over shortly before the host crashed in its code.
bool Plugins::is_to_be_rolled_back(const File& file) const {
  const Candidate& candidate = *file.candidate;
  const auto& [active, previous, proven, failing, refused] = entry(file);
  const bool is_new = file.first && candidate.wish.from == From::folder && active && !proven && previous &&
                      active->sha256 == candidate.sha256;
  const auto by_it = [&](const BlackBox::Suspect& suspect) {
    return suspect.recent && suspect.crashes > 0 && std::ranges::any_of(candidate.note().items, [&](const Item& item) {
             return suspect.name.starts_with(fmt::format("{} {},", item.kind_name(), item.id));
           });
  };
  return is_new && black_box_ && std::ranges::any_of(black_box_->suspects(), by_it);
}

// Another file may have the names, or may not: then it is this one's turn again.
bool Plugins::may_wait_for_a_name(const File& file) const {
  return std::ranges::any_of(file.candidate->note().items, [&](const Item& item) {
    const auto owner = names_.find(item.id);
    return owner != names_.end() && owner->second != &file && owner->second->candidate;
  });
}

Plugins::Objection Plugins::objection(const File& file, const Candidate& candidate) const {
  for (const Item& item : candidate.note().items) {
    const auto owner = names_.find(item.id);
    if (owner != names_.end() && owner->second != &file) {
      return {.why = fmt::format("{} is offered by {} already", item.id, owner->second->name), .to_a_name = true};
    }
    if (auto why = surroundings_.objection(item); !why.empty()) return {std::move(why)};
  }
  if (candidate.wish.restart_rooms || candidate.wish.last_resort) return {};
  for (const Item& item : candidate.note().items) {
    std::size_t lost = 0;
    for (const Part& part : surroundings_.parts(item)) {
      lost += part.role->would_lose(item.schema_oldest, item.schema_written);
    }
    if (lost == 0) continue;
    const bool is_new = candidate.wish.from == From::folder;
    return {.why = fmt::format(
                "{} {} reads states of {}, and cannot read those of {}{}", item.id, item.version, schemas(item),
                counted_actors(lost, candidate.note()),
                is_new ? fmt::format(": with `botel reload {} --restart-rooms` they begin anew", item.id) : ""),
            .to_a_schema = true};
  }
  for (const Part& part : file.now ? file.now->parts : std::vector<Part>()) {
    const std::string& name = part.role->name();
    const auto same = std::ranges::find(candidate.note().items, name, &Item::id);
    const bool offered = same != candidate.note().items.end();
    if ((offered && same->kind == part.role->kind()) || part.role->actors() == 0) continue;
    const std::string what = offered ? fmt::format("{} is a {} in it, and was none", name, same->kind_name())
                                     : "it no longer offers " + name;
    return {fmt::format("{}, which has {}: with `botel reload {} --restart-rooms` they wait", what,
                        counted_actors(part.role->actors(), file.now->note), name)};
  }
  return {};
}

std::vector<Part> Plugins::parts_of(const Note& note) const {
  std::vector<Part> parts;
  for (const Item& item : note.items) std::ranges::move(surroundings_.parts(item), std::back_inserter(parts));
  return parts;
}

// Nobody who is served may end up without: what has failed already may fail again. When the host starts nobody is
// served yet, but a kept version may be able to.
void Plugins::choose_parts(const File& file, Candidate& candidate) const {
  candidate.parts = parts_of(candidate.note());
  const auto has_failed = [&](const Part& part) {
    const auto same = std::ranges::find(file.now->parts, part);
    return same != file.now->parts.end() &&
           file.now->logics[static_cast<std::size_t>(same - file.now->parts.begin())].expired();
  };
  for (const Part& part : candidate.parts) {
    candidate.needed.push_back(file.now ? !has_failed(part) : can_fall_back(file, candidate));
  }
}

// Names that it does not have after all are there for other files; those that it has are not.
void Plugins::free_names(const File& file) {
  const auto freed = std::erase_if(names_, [&](const auto& owned) {
    const auto& [name, owner] = owned;
    return owner == &file && !(file.now && std::ranges::count(file.now->note.items, name, &Item::id) > 0);
  });
  for (const auto& [name, other] : files_) {
    const bool undecided = other->names == File::Names::undecided, lost = other->names == File::Names::lost;
    if (other.get() == &file || !(undecided || (lost && freed > 0))) continue;
    other->names = File::Names::own;
    look(*other, undecided ? other->undecided : Wish{.again = true});
  }
}

}  // namespace botel::plugin
