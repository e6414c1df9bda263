#include "app/control.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <ranges>
#include <thread>
#include <utility>

#include "temp_folder.hpp"

using namespace botel;
using namespace std::chrono_literals;

namespace {

constexpr int kPatienceMs = 10'000;

// A host that answers when the test says so.
struct Scene {
  Scene() {
    auto opened = app::Control::open(folder.path, [this](const auto& request, const auto& give) {
      asked = json::text(request, "command");
      answer = give;
    });
    REQUIRE(opened);
    control = std::move(*opened);
  }
  void serve_until_asked() {
    while (asked.empty()) {
      pollfd wanted{control->descriptor(), POLLIN, 0};
      REQUIRE(poll(&wanted, 1, kPatienceMs) == 1);
      control->turn();
    }
  }

  TempFolder folder;
  std::string asked;
  app::Control::Answer answer;
  std::unique_ptr<app::Control> control;
};

// A command that is not ours.
struct Command {
  explicit Command(const Scene& scene) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (scene.folder.path / "control").string().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  void ask(const std::string& line) const { REQUIRE(write(socket.get(), line.data(), line.size()) > 0); }
  // What is there now.
  [[nodiscard]] std::string read() const {
    char buffer[1000];
    const ssize_t size = recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return {buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  // The host has ended it.
  [[nodiscard]] bool is_over() const {
    char buffer[65536];
    ssize_t size = 0;
    do {
      size = recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    } while (size > 0);
    return size == 0;
  }
  const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

TEST_CASE("control: who waits for an answer gets a sign of life each second, and who has asked nothing does not") {
  Scene scene;
  const Command waits(scene), silent(scene);
  waits.ask("{\"command\":\"check\"}\n");
  scene.serve_until_asked();
  CHECK(scene.asked == "check");
  SteadyTime now{};
  scene.control->advance(now += 1s);
  CHECK(waits.read() == " ");
  scene.control->advance(now += 500ms);
  CHECK(waits.read() == "");
  scene.control->advance(now += 500ms);
  scene.control->advance(now += 1s);
  CHECK(waits.read() == "  ");
  scene.answer("{}");
  CHECK(waits.read() == "{}\n");
  scene.control->advance(now += 1s);
  CHECK(silent.read() == "");
}

TEST_CASE("control: signs of life are no part of an answer") {
  Scene scene;
  Result<std::string> answer;
  std::thread command([&] { answer = app::ask(scene.folder.path, "{\"command\":\"check\"}"); });
  scene.serve_until_asked();
  SteadyTime now{};
  for (int i = 0; i < 3; ++i) scene.control->advance(now += 1s);
  scene.answer("{\"a\":1}");
  command.join();
  CHECK(answer == "{\"a\":1}\n");
}

TEST_CASE("control: who asks nothing for ten seconds, or does not read the answer, is left") {
  Scene scene;
  const Command silent(scene), half(scene), deaf(scene), waits(scene);
  half.ask("{\"command\"");
  deaf.ask("{\"command\":\"check\"}\n");
  scene.serve_until_asked();
  const auto answer = std::exchange(scene.answer, {});
  scene.asked.clear();
  waits.ask("{\"command\":\"check\"}\n");
  scene.serve_until_asked();
  SteadyTime now{};
  for (int second = 0; second < 9; ++second) scene.control->advance(now += 1s);
  answer(R"({"long":")" + std::string(10'000'000, 'x') + "\"}");
  CHECK_FALSE(silent.is_over());
  scene.control->advance(now += 1s);
  CHECK(silent.is_over());
  CHECK(half.is_over());
  CHECK_FALSE(deaf.is_over());
  for (int second = 0; second < 10; ++second) scene.control->advance(now += 1s);
  CHECK(deaf.is_over());
  CHECK_FALSE(waits.is_over());  // for the host
}

TEST_CASE("control: nobody has more than sixteen connections, and the next one is there when one has ended") {
  Scene scene;
  std::list<Command> many;
  for (int i = 0; i < 17; ++i) {
    many.emplace_back(scene);
    scene.control->turn();
  }
  CHECK(many.back().is_over());
  CHECK(std::ranges::none_of(many | std::views::take(16), &Command::is_over));
  many.pop_front();
  scene.control->turn();
  const Command next(scene);
  scene.control->turn();
  CHECK_FALSE(next.is_over());
}
