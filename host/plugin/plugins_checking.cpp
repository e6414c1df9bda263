// The fifth part of Plugins: what would become of a file that were dropped in.
#include "plugin/file.hpp"

namespace botel::plugin {

namespace fs = std::filesystem;

void Plugins::check(const fs::path& path, const Done& done) {
  const auto candidate = std::make_shared<Candidate>(Wish());
  const std::string name = path.filename().string();
  const auto report = [this, candidate, name, done](const std::string& fate) {
    const bool refused = !candidate->error.empty();
    done(
        {{name, {now_.unix_ms, candidate->is_good(), refused ? candidate->error : candidate->report() + "\n" + fate}}});
  };
  checker_.run([this, candidate, path, name, report, copy = next_copy(name)]() -> JobThread::Then {
    candidate->stage({}, path, copy, config_.writers);
    return [this, candidate, name, report] {
      if (candidate->gone) candidate->error = "there is no such file";
      const File unknown(name);
      const File& file = candidate->error.empty() ? place_of(*candidate, unknown) : unknown;
      if (const auto named = check_name(name); !named && candidate->error.empty()) candidate->error = named.error();
      if (candidate->error.empty()) candidate->error = check_objection(file, *candidate);
      if (!candidate->error.empty()) return report("");
      choose_parts(file, *candidate);
      checker_.run([this, candidate, report, fate = fate(file, *candidate)]() -> JobThread::Then {
        candidate->try_out(config_.probe, checker_.stopped());
        return [report, fate] { report(fate); };
      });
    };
  });
}

// What would keep it from being tried, were it dropped in.
std::string Plugins::check_objection(const File& file, const Candidate& candidate) const {
  if (candidate.sha256 == entry(file).refused) return kRolledBack;
  if (auto why = crash_objection(file, candidate); !why.empty()) return why;
  return objection(file, candidate).why;
}

std::string Plugins::fate(const File& file, const Candidate& candidate) const {
  if (file.now && file.now->sha256 == candidate.sha256) return fmt::format("as {}, it is there already", file.name);
  if (file.now) return fmt::format("as {}, it would take over from {}", file.name, describe(file.now->note));
  if (candidate.parts.empty()) {
    return fmt::format("as {}, it would be idle: nothing in the configuration wants it", file.name);
  }
  return fmt::format("as {}, it would serve", file.name);
}

// The file that it would be dropped in for: the one of its name, or that which offers the same.
const Plugins::File& Plugins::place_of(const Candidate& candidate, const File& unknown) const {
  const auto known = files_.find(unknown.name);
  if (known != files_.end() && !known->second->gone) return *known->second;
  const auto owner = names_.find(candidate.note().items.front().id);
  return owner == names_.end() ? unknown : *owner->second;
}

}  // namespace botel::plugin
