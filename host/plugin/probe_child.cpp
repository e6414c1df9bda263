// The side of the probe that runs the plugin's code.
#include <botel/ext/connector.h>
#include <botel/ext/room.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <iterator>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/schema.hpp"
#include "plugin/library.hpp"
#include "plugin/probe.hpp"
#include "plugin/probe_words.hpp"
#include "runtime/runtime.hpp"
#include "runtime/turn.hpp"

namespace botel::plugin {
namespace {

constexpr rlim_t kMemory = rlim_t{4} << 30;
constexpr rlim_t kSeconds = 60;  // of processor time; whoever waits is less patient

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // it maps terabytes for itself
#else
constexpr bool kSanitized = false;
#endif

void limit(int resource, rlim_t most) {
  const rlimit wanted{most, most};
  setrlimit(static_cast<__rlimit_resource>(resource), &wanted);
}

void set_limits() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kSeconds);
  if (!kSanitized) limit(RLIMIT_AS, kMemory);
}

// Where the answer goes, out of the plugin's reach: what it prints goes to stderr.
class Words {
 public:
  Words() : fd_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10)) { dup2(STDERR_FILENO, STDOUT_FILENO); }
  void step(std::string_view doing) const { say(step_line(doing)); }
  void answer(const Answer& answer) const { say(answer_line(answer)); }

 private:
  void say(const std::string& line) const {
    if (write(fd_, line.data(), line.size()) < 0) _exit(3);
  }
  const int fd_;
};

// Nothing happens of what the sample's handlers do.
struct Nowhere : runtime::Port {
  std::int32_t check(const botel_effect&) const override { return BOTEL_OK; }
  void handled(runtime::Actor&, const runtime::Event&, const Result<>&) override {}
  void perform(runtime::Actor&, runtime::Effect&) override {}
  std::string origin(const runtime::Actor&) const override { return "{}"; }
  std::string progress(const runtime::Actor&) const override { return "{}"; }
};

Result<> check_config(const botel_descriptor& descriptor, const std::string& config) {
  if (!descriptor.config_schema) return {};
  const auto schema = Schema::compile(descriptor.config_schema);
  if (!schema) return failure("its config_schema is refused: {}", schema.error());
  const auto faults = schema->check(config);
  if (faults.empty()) return {};
  const auto& [pointer, message] = faults.front();
  return failure("its configuration is wrong: {}{}{}", pointer, pointer.empty() ? "" : " ", message);
}

// Of this process, whoever has started them.
std::size_t threads() {
  std::error_code error;
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/task", error), {}));
}

std::vector<Image> without(const std::vector<Image>& some, std::vector<Image> all) {
  std::erase_if(all, [&](const Image& image) { return std::ranges::count(some, image) > 0; });
  return all;
}

class Probe {
 public:
  Probe(Library& library, std::shared_ptr<const runtime::Code> code, const Words& words)
      : library_(library), code_(std::move(code)), words_(words) {}

  // The reason why no such instance can be made, or nothing.
  std::string run(const Trial& trial) {
    const auto& all = library_.descriptors();
    const auto found = std::ranges::find(all, trial.name, [](const auto* descriptor) { return descriptor->id; });
    if (found == all.end()) return "it does not offer " + trial.name;
    if (auto right = check_config(**found, trial.config); !right) return right.error();
    words_.step("making " + trial.name);
    auto logic = runtime::Logic::create(**found, trial.config, code_);
    if (!logic) return logic.error();
    if ((*found)->kind == BOTEL_BOT) try_room(*logic);
    if ((*found)->kind == BOTEL_CONNECTOR) try_configuration(*logic);
    most_threads = std::max(most_threads, threads());
    std::ranges::move(without(libraries, images()), std::back_inserter(libraries));
    words_.step("destroying " + trial.name);
    return "";
  }

  std::vector<std::string> warnings;
  std::size_t most_threads = 0;  // that there were at the same time
  std::vector<Image> libraries;  // that there were beside an instance

 private:
  // The beginning of what MOCA asks first; what follows would need an answer.
  void try_configuration(const std::shared_ptr<runtime::Logic>& logic) {
    Nowhere nowhere;
    runtime::Role role(std::string(logic->id()), BOTEL_CONNECTOR);
    runtime::Actor actor(nowhere, BOTEL_ACTOR_CONNECTOR, fmt::format("{}/probe", logic->id()),
                         fmt::format(R"({{"type":{},"id":"probe"}})", json::quoted(logic->id())), role);
    handle(logic, actor,
           {.kind = BOTEL_CONNECTOR_CONFIGURE,
            .id = 1,
            .sequence = 1,
            .reply = 1,
            .format = BOTEL_FORMAT_JSON,
            .payload = "{}",
            .detail = R"({"step":""})"},
           "configuration");
  }

  void try_room(const std::shared_ptr<runtime::Logic>& logic) {
    Nowhere nowhere;
    Counters counters;
    runtime::Runtime runtime({}, counters, [] {});  // for the state
    runtime::Role role{std::string(logic->id())};
    runtime::Actor actor(nowhere, BOTEL_ACTOR_ROOM, "0/0/probe/0",
                         R"({"context":{"sp":0,"app":0,"room":"probe","session":"probe","bot":"0"},"user":null})",
                         role);
    if (auto left = handle(logic, actor, {.kind = BOTEL_ROOM_START, .id = 1, .sequence = 1}, "start")) {
      store::State state;
      state.schema = logic->schema_written();
      state.state = std::move(*left);
      runtime.restore(actor, std::move(state));
    }
    handle(logic, actor,
           {.kind = BOTEL_ROOM_MESSAGE,
            .id = 2,
            .sequence = 2,
            .format = BOTEL_FORMAT_TEXT,
            .payload = "hello",
            .detail = R"({"t":0,"m":"hello"})"},
           "message");
  }

  // The state that it leaves, if it does.
  std::optional<std::string> handle(const std::shared_ptr<runtime::Logic>& logic, runtime::Actor& actor,
                                    runtime::Event event, std::string_view what) {
    words_.step(fmt::format("{} handling a {}", logic->id(), what));
    event.time_ms = Time::now().unix_ms;
    runtime::Turn turn;
    turn.actor = &actor;
    turn.logic = logic;
    turn.event = &event;
    logic->handle(turn);
    if (turn.cached) logic->drop(turn.cached);
    if (turn.result < 0) {
      warnings.push_back(fmt::format("{} fails to handle a sample {}: {}{}{}", logic->id(), what, turn.result,
                                     turn.error.empty() ? "" : ": ", turn.error));
    }
    return turn.result == BOTEL_OK ? turn.state : std::nullopt;
  }

  Library& library_;
  const std::shared_ptr<const runtime::Code> code_;
  const Words& words_;
};

std::vector<Trial> read_trials() {
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  std::vector<Trial> trials;
  const auto list = json::read(text);
  if (!list) return trials;
  for (const auto& element : list->elements) {
    const auto trial = json::read(element.raw);
    if (trial) trials.push_back({json::text(*trial, "name"), json::text(*trial, "config")});
  }
  return trials;
}

Answer try_all(const std::filesystem::path& copy, const Words& words) {
  Answer answer;
  const auto note = inspect(copy);
  if (!note) return {.refusal = note.error()};
  const std::vector<Trial> trials = read_trials();
  const std::size_t before = threads();
  answer.own = images();
  words.step("loading it");
  auto library = Library::load(copy, note->items);
  if (!library) return {.refusal = library.error()};
  const std::vector<Image> loaded = images();
  answer.brought = without(answer.own, loaded);
  std::erase_if(answer.brought, [&](const Image& image) { return image.path == copy; });
  {
    Probe probe(**library, *library, words);
    for (const Trial& trial : trials) answer.errors.push_back(probe.run(trial));
    answer.warnings = std::move(probe.warnings);
    answer.opened = without(loaded, std::move(probe.libraries));
    if (std::max(probe.most_threads, threads()) > before) {
      answer.refusal = "it has started a thread, which no plugin may";
      return answer;
    }
  }
  words.step("unloading it");
  if (auto gone = (*library)->unload(); !gone) {
    answer.warnings.push_back("it will stay in memory when it is replaced: " + gone.error());
  }
  return answer;
}

}  // namespace

int run_probe(const std::filesystem::path& copy) {
  set_limits();
  log::set_up(log::Level::error, log::Format::text);
  const Words words;
  const Answer answer = try_all(copy, words);
  words.answer(answer);
  _exit(0);  // whatever the plugin has left behind does not matter any more
}

}  // namespace botel::plugin
