// SPDX-License-Identifier: MIT
#include "child.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace oneclock {

namespace {

constexpr int kExecLimitMs = 30'000;

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

/** Runs between fork and exec: system calls only. */
[[noreturn]] void become(const SpawnRequest& request, char* const* arguments, char* const* environment, pid_t parent,
                         int report) {
  sigset_t none;
  sigemptyset(&none);
  // The kernel's own call and structure: the C library keeps two signals to itself, and they may be ignored.
  const unsigned long standard[4] = {};  // SIG_DFL, no flags, no restorer, an empty mask
  for (int signal = 1; signal < NSIG; signal++)
    syscall(SYS_rt_sigaction, signal, standard, nullptr, sizeof(unsigned long));
  // The parent may have died before the death signal was asked for: then it is too late for it.
  bool ready = sigprocmask(SIG_SETMASK, &none, nullptr) == 0 && setpgid(0, 0) == 0 &&
               prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && chdir(request.directory.c_str()) == 0;
  // Copies above them first, so that no source is overwritten before it was used.
  const int count = static_cast<int>(request.descriptors.size());
  int copies[kMaxInherited];
  int moved = fcntl(report, F_DUPFD_CLOEXEC, count);
  if (moved >= 0) report = moved;
  else ready = false;
  for (int i = 0; ready && i < count; i++)
    ready = (copies[i] = fcntl(request.descriptors[static_cast<size_t>(i)], F_DUPFD_CLOEXEC, count)) >= 0;
  for (int i = 0; ready && i < count; i++) ready = dup2(copies[i], i) == i;
  // Whoever started us may have left descriptors open that no program of ours is to have.
  if (ready) ready = close_range(static_cast<unsigned>(count), ~0U, CLOSE_RANGE_CLOEXEC) == 0;
  if (ready) execve(request.file.c_str(), arguments, environment);
  int error = errno;
  ssize_t written = write(report, &error, sizeof error);
  _exit(written == sizeof error ? 127 : 126);
}

}  // namespace

SpawnedChild spawn(const SpawnRequest& request) {
  if (request.descriptors.size() > kMaxInherited) {
    errno = EMFILE;
    fail(request.file);
  }
  std::vector<char*> arguments = pointers(request.arguments);
  std::vector<char*> environment = pointers(request.environment);
  int ends[2];
  check(pipe2(ends, O_CLOEXEC), "pipe2");
  Descriptor report_reader(ends[0]), report_writer(ends[1]);
  pid_t parent = getpid();
  pid_t pid = check(fork(), "fork");
  if (pid == 0) become(request, arguments.data(), environment.data(), parent, report_writer.get());
  report_writer.reset();
  // Its file may be on a file system that does not answer.
  pollfd report{report_reader.get(), POLLIN, 0};
  int told;
  do told = poll(&report, 1, kExecLimitMs);
  while (told < 0 && errno == EINTR);
  if (told == 0) {
    kill(pid, SIGKILL);
    errno = ETIMEDOUT;
    fail("starting " + request.file);
  }
  int error = 0;
  ssize_t length;
  do length = read(report_reader.get(), &error, sizeof error);
  while (length < 0 && errno == EINTR);
  if (length != 0) {
    waitpid(pid, nullptr, 0);
    errno = length == sizeof error ? error : EIO;
    fail(request.file);
  }
  int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) {
    int saved = errno;
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    errno = saved;
    fail("pidfd_open");
  }
  return {pid, Descriptor(handle)};
}

}  // namespace oneclock
