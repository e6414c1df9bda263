#include "chaos/victim.hpp"

#include <signal.h>

#include <algorithm>
#include <thread>

namespace chaos {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

harness::HostOptions with_data(harness::HostOptions options, const fs::path& folder) {
  if (options.data.empty()) options.data = (folder / "data").string();
  return options;
}

}  // namespace

Victim::Victim(fs::path folder, harness::HostOptions options)
    : folder_(std::move(folder)),
      data_(with_data(options, folder_).data),
      options_(with_data(std::move(options), folder_)) {
  fs::create_directories(folder_);
}

void Victim::start() {
  host_.reset();
  ready_ = false;
  host_.emplace(life(++lives_), options_);
  shall_run_ = true;
}

void Victim::wait_ready() {
  const auto since = Clock::now();
  while (!ready_ || !host_->process().running()) {
    try {
      host_->ready();
      ready_ = true;
    } catch (const std::exception&) {
      if (host_->process().running()) throw;
      watch();
      if (Clock::now() - since > harness::kPatience) throw;
    }
  }
  if (start_up_ == milliseconds(0)) start_up_ = std::chrono::ceil<milliseconds>(Clock::now() - since);
}

void Victim::kill() {
  watch();
  shall_run_ = false;
  signal(SIGKILL);
  host_->process().wait();
  kills_.push_back(Clock::now());
}

int Victim::stop() {
  shall_run_ = false;
  return host_->stop();
}

void Victim::watch() {
  if (!shall_run_ || host_->process().running()) return;
  own_ends_.push_back(host_->process().wait());
  // Whoever restarts services waits a little, too.
  std::this_thread::sleep_for(milliseconds(50));
  start();
}

std::string Victim::log() const {
  std::string all;
  for (int number = 1; number <= lives_; ++number) all += harness::read_file(life(number) / "botel.log");
  return all;
}

std::string Victim::last_words() const {
  std::string text;
  for (int number = std::max(1, lives_ - 1); number <= lives_; ++number) {
    const std::string said = harness::read_file(life(number) / "botel.log");
    text +=
        life(number).filename().string() + ":\n" + said.substr(said.size() - std::min<std::size_t>(said.size(), 2000));
  }
  return text;
}

}  // namespace chaos
