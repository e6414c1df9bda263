#include "chaos/mayhem.hpp"

#include <signal.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <thread>

#include "chaos/form.hpp"

namespace chaos {
namespace {

using std::chrono::milliseconds;

struct Course {
  const Trouble* trouble;
  int left;
  bool going_on = false;
  Clock::time_point next;  // when it begins or ends
};

void step(Course& course) {
  course.going_on = !course.going_on;
  if (course.going_on) {
    course.trouble->begin();
    course.next = Clock::now() + course.trouble->hold();
  } else {
    course.trouble->end();
    --course.left;
    course.next = Clock::now() + course.trouble->pause();
  }
}

milliseconds no_time() { return milliseconds(0); }
void nothing() {}

}  // namespace

void make_trouble(const std::vector<Trouble>& troubles, const std::function<void()>& meanwhile) {
  std::vector<Course> courses;
  for (const Trouble& trouble : troubles) {
    courses.push_back({&trouble, trouble.times, false, Clock::now() + trouble.pause()});
  }
  while (!courses.empty()) {
    for (Course& course : courses) {
      if (!course.going_on && !course.trouble->possible()) course.next = Clock::now() + course.trouble->pause();
    }
    const auto next = std::ranges::min_element(courses, {}, &Course::next);
    if (next->next <= Clock::now()) {
      step(*next);
      if (next->left == 0) courses.erase(next);
    } else {
      std::this_thread::sleep_for(std::min<Clock::duration>(next->next - Clock::now(), milliseconds(5)));
    }
    meanwhile();
  }
}

milliseconds between(Random& random, int least_ms, int most_ms) {
  return milliseconds(std::uniform_int_distribution(least_ms, most_ms)(random));
}

Trouble kills(Victim& host, Random& random, int times) {
  const auto pause = [&host, &random] {
    const int start_up = static_cast<int>(host.start_up().count());
    return random() % 2 == 0 ? between(random, 0, start_up) : between(random, start_up, start_up + 400);
  };
  return {"kill", times, pause, no_time, [&host] { host.kill(); }, [&host] { host.start(); }};
}

Trouble planned_stops(Victim& host, Random& random, int times) {
  const auto stop = [&host] {
    host.wait_ready();
    if (const int code = host.stop()) throw std::runtime_error("a planned stop has the code " + std::to_string(code));
  };
  return {"stop", times, [&random] { return between(random, 0, 400); }, no_time, stop, [&host] { host.start(); }};
}

// Its messages wait in the store.
Trouble slow_handlers(Driver& gitple, Random& random, int times) {
  return {"slow handler",
          times,
          [&random] { return between(random, 0, 400); },
          no_time,
          [&gitple, &random] { gitple.tell(static_cast<int>(random() % 5), "sleep 300"); },
          nothing};
}

Trouble faints(Victim& host, Random& random, int times) {
  return {"faint",
          times,
          [&random] { return between(random, 200, 800); },
          [] { return milliseconds(3000); },
          [&host] { host.signal(SIGSTOP); },
          [&host] { host.signal(SIGCONT); }};
}

// In the long form some connections have lasted before, so that the host's pauses between its attempts begin anew.
Trouble resets(Proxy& proxy, Random& random, int times) {
  Trouble trouble{"reset", times, {}, no_time, [&proxy] { proxy.reset(); }, nothing};
  trouble.pause = [&random] {
    return is_long() && random() % 3 == 0 ? between(random, 5500, 6000) : between(random, 0, 600);
  };
  trouble.possible = [&proxy] { return proxy.connections() > 0; };
  return trouble;
}

Trouble freezes(Proxy& proxy, Random& random, int times) {
  return {"freeze",
          times,
          [&random] { return between(random, 200, 800); },
          [&random] { return between(random, 100, 1000); },
          [&proxy] { proxy.freeze(true); },
          [&proxy] { proxy.freeze(false); }};
}

Trouble full_disks(SmallDisk& disk, Random& random, int times) {
  return {"full disk",
          times,
          [&random] { return between(random, 100, 600); },
          [&random] { return between(random, 500, 2500); },
          [&disk] { disk.fill(); },
          [&disk] { disk.make_room(); }};
}

Trouble broker_ends(harness::Broker& broker, Driver& gitple, Random& random, int times) {
  const auto answered = std::make_shared<long long>(0);  // before the last one
  return {"broker end",
          times,
          [&random] { return between(random, 0, 500); },
          [&random] { return between(random, 0, 500); },
          [&broker, &gitple, &random, answered] {
            *answered = gitple.answered();
            random() % 2 == 0 ? broker.kill() : broker.stop();
          },
          [&broker] { broker.start(); },
          [&gitple, answered] { return gitple.answered() > *answered; }};
}

}  // namespace chaos
