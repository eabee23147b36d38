// SPDX-License-Identifier: MIT
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "descriptor.hh"

namespace oneclock {

struct SpawnRequest {
  std::string file;
  std::vector<std::string> arguments;  // the program's own name included
  std::vector<std::string> environment;
  std::string directory;
  int stdio[3];
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
