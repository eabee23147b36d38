// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "descriptor.hh"

namespace oneclock {

constexpr size_t kMaxInherited = 64;

struct SpawnRequest {
  std::string file;
  std::vector<std::string> arguments;  // the program's own name included
  std::vector<std::string> environment;
  std::string directory;
  std::vector<int> descriptors;  // become the program's 0, 1, 2 …; at most kMaxInherited
};

struct SpawnedChild {
  pid_t pid;
  Descriptor handle;  // a pidfd
};

/**
 * Starts a program in a process group of its own. The kernel kills it when the calling thread's process dies.
 * Throws where the program cannot be executed.
 */
SpawnedChild spawn(const SpawnRequest& request);

}  // namespace oneclock
