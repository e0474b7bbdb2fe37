#include "io/unfinished_files.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <mutex>

namespace bantam::tools {
namespace {

constexpr int kSlots = 64;
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<const char*> unfinished[kSlots];
static_assert(std::atomic<const char*>::is_always_lock_free);  // a signal handler reads them

void remove_and_end(int signal) {
  for (std::atomic<const char*>& slot : unfinished) {
    if (const char* path = slot.load()) ::unlink(path);
  }
  std::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered when the handler returns
}

// Only where the signal would end the program.
void watch_signals() {
  for (int signal : kSignals) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
    now.sa_handler = remove_and_end;
    ::sigaction(signal, &now, nullptr);
  }
}

}  // namespace

UnfinishedFile::UnfinishedFile(const std::string& path) : path_(path) {
  static std::once_flag watched;
  std::call_once(watched, watch_signals);
  for (int slot = 0; slot < kSlots && slot_ < 0; ++slot) {
    const char* expected = nullptr;
    if (unfinished[slot].compare_exchange_strong(expected, path_.c_str())) slot_ = slot;
  }
}

UnfinishedFile::~UnfinishedFile() {
  if (slot_ >= 0) unfinished[slot_].store(nullptr);
}

}  // namespace bantam::tools
