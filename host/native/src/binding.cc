// SPDX-License-Identifier: MIT
// The only file that knows JavaScript: it turns values into those of the core, and the core's exceptions into
// JavaScript errors with `code` (the errno's name is not needed: the text and number are in the message).
#include <fcntl.h>
#include <napi.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <memory>

#include "child.hh"
#include "gpio.hh"
#include "guarded.hh"
#include "hub.hh"
#include "kvm/src/binding.hh"
#include "mapping.hh"

namespace {

using namespace oneclock;

int int_argument(const Napi::CallbackInfo& info, size_t index) { return info[index].As<Napi::Number>().Int32Value(); }

uint32_t source_argument(const Napi::CallbackInfo& info) { return info[0].As<Napi::Number>().Uint32Value(); }

std::vector<std::string> strings(const Napi::Value& value) {
  auto array = value.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(array.Get(i).As<Napi::String>().Utf8Value());
  return result;
}

class HubObject : public Napi::ObjectWrap<HubObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Hub",
                       {InstanceMethod<&HubObject::add>("add"), InstanceMethod<&HubObject::remove>("remove"),
                        InstanceMethod<&HubObject::listen>("listen"), InstanceMethod<&HubObject::send>("send"),
                        InstanceMethod<&HubObject::poll>("poll"),
                        InstanceMethod<&HubObject::open_packet>("openPacket"),
                        InstanceMethod<&HubObject::send_frame>("sendFrame"),
                        InstanceMethod<&HubObject::missed_frames>("missedFrames")});
  }

  /** Gives the object its three areas: `events`, `data` and `descriptors`, which live as long as it does. */
  explicit HubObject(const Napi::CallbackInfo& info) : ObjectWrap(info), hub_(new Hub) {
    Napi::Env env = info.Env();
    auto self = info.This().As<Napi::Object>();
    share(env, self, "events", hub_->events(), Hub::kMaxEvents * sizeof(Event));
    share(env, self, "data", hub_->data(), Hub::kDataBytes);
    share(env, self, "descriptors", hub_->descriptors(), Hub::kMaxDescriptors * sizeof(int));
  }

 private:
  void share(Napi::Env env, Napi::Object self, const char* name, void* memory, size_t length) {
    // The buffer keeps the hub alive, whichever of the two is collected first.
    auto* owner = new std::shared_ptr<Hub>(hub_);
    self.Set(name, Napi::ArrayBuffer::New(
                       env, memory, length, [](Napi::Env, void*, std::shared_ptr<Hub>* hub) { delete hub; }, owner));
  }

  Napi::Value add(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      uint32_t id = hub_->add(int_argument(info, 0), static_cast<SourceKind>(int_argument(info, 1)));
      return Napi::Number::New(info.Env(), id);
    });
  }

  void remove(const Napi::CallbackInfo& info) { hub_->remove(source_argument(info)); }

  Napi::Value listen(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      return Napi::Number::New(info.Env(), hub_->listen(info[0].As<Napi::String>().Utf8Value()));
    });
  }

  Napi::Value send(const Napi::CallbackInfo& info) {
    auto bytes = info[1].As<Napi::Uint8Array>();
    int fds[Hub::kMaxDescriptorsPerRead];
    size_t count = 0;
    if (info.Length() > 2 && info[2].IsArray()) {
      auto array = info[2].As<Napi::Array>();
      if (array.Length() > Hub::kMaxDescriptorsPerRead) throw Napi::RangeError::New(info.Env(), "too many descriptors");
      for (; count < array.Length(); count++)
        fds[count] = array.Get(static_cast<uint32_t>(count)).As<Napi::Number>().Int32Value();
    }
    return Napi::Number::New(info.Env(), hub_->send(source_argument(info), bytes.Data(), bytes.ByteLength(), fds, count));
  }

  Napi::Value open_packet(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      return Napi::Number::New(info.Env(), hub_->open_packet(info[0].As<Napi::String>().Utf8Value()));
    });
  }

  Napi::Value send_frame(const Napi::CallbackInfo& info) {
    auto frame = info[1].As<Napi::Uint8Array>();
    return Napi::Number::New(info.Env(), hub_->send_frame(source_argument(info), frame.Data(), frame.ByteLength()));
  }

  Napi::Value missed_frames(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), hub_->missed_frames(source_argument(info))); });
  }

  Napi::Value poll(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      return Napi::Number::New(info.Env(), static_cast<double>(hub_->poll(info[0].As<Napi::Number>().DoubleValue())));
    });
  }

  std::shared_ptr<Hub> hub_;
};

class MappingObject : public Napi::ObjectWrap<MappingObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Mapping",
                       {InstanceMethod<&MappingObject::intact>("intact"), InstanceMethod<&MappingObject::close>("close")});
  }

  /** (descriptor, offset, length); gives the object its `buffer`. */
  explicit MappingObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    Napi::Env env = info.Env();
    guarded(env, [&] {
      auto offset = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
      auto length = static_cast<size_t>(info[2].As<Napi::Number>().Int64Value());
      mapping_ = std::make_shared<Mapping>(int_argument(info, 0), offset, length);
    });
    auto* owner = new std::shared_ptr<Mapping>(mapping_);
    auto buffer = Napi::ArrayBuffer::New(
        env, mapping_->bytes(), mapping_->length(),
        [](Napi::Env env, void*, std::shared_ptr<Mapping>* mapping) {
          Napi::MemoryManagement::AdjustExternalMemory(env, static_cast<int64_t>((*mapping)->length()));
          delete mapping;
        },
        owner);
    // It is not memory that a collection could give back, so it must not hurry the collector.
    Napi::MemoryManagement::AdjustExternalMemory(env, -static_cast<int64_t>(mapping_->length()));
    info.This().As<Napi::Object>().Set("buffer", buffer);
    buffer_ = Napi::Persistent(buffer);
  }

 private:
  Napi::Value intact(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), mapping_->intact()); }

  void close(const Napi::CallbackInfo&) {
    if (buffer_.IsEmpty()) return;
    // Detached first: no view may reach the addresses once they are unmapped.
    buffer_.Value().Detach();
    buffer_.Reset();
    mapping_->unmap();
  }

  std::shared_ptr<Mapping> mapping_;
  Napi::Reference<Napi::ArrayBuffer> buffer_;
};

Napi::Value create_memory(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto length = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
    return Napi::Number::New(info.Env(), create_shared_memory(length));
  });
}

/** (file, argv, envp, directory, [fd0, fd1, fd2 …]) to [pid, pidfd]. */
Napi::Value spawn_child(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    SpawnRequest request{info[0].As<Napi::String>().Utf8Value(), strings(info[1]), strings(info[2]),
                         info[3].As<Napi::String>().Utf8Value(), {}};
    auto descriptors = info[4].As<Napi::Array>();
    for (uint32_t i = 0; i < descriptors.Length(); i++)
      request.descriptors.push_back(descriptors.Get(i).As<Napi::Number>().Int32Value());
    SpawnedChild child = spawn(request);
    auto result = Napi::Array::New(info.Env(), 2);
    result.Set(0u, Napi::Number::New(info.Env(), child.pid));
    result.Set(1u, Napi::Number::New(info.Env(), child.handle.release()));
    return result;
  });
}

Napi::Value pair_of(const Napi::CallbackInfo& info, const int (&ends)[2]) {
  auto result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, Napi::Number::New(info.Env(), ends[0]));
  result.Set(1u, Napi::Number::New(info.Env(), ends[1]));
  return result;
}

Napi::Value create_pipe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    int ends[2];
    check(pipe2(ends, O_CLOEXEC), "pipe2");
    return pair_of(info, ends);
  });
}

Napi::Value duplicate(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return Napi::Number::New(info.Env(), check(fcntl(int_argument(info, 0), F_DUPFD_CLOEXEC, 0), "fcntl"));
  });
}

Napi::Value set_non_blocking(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    int fd = int_argument(info, 0);
    check(fcntl(fd, F_SETFL, check(fcntl(fd, F_GETFL), "fcntl") | O_NONBLOCK), "fcntl");
    return info.Env().Undefined();
  });
}

Napi::Value create_socket_pair(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    return pair_of(info, ends);
  });
}

Napi::Value connect_unix(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    std::string path = info[0].As<Napi::String>().Utf8Value();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
      errno = ENAMETOOLONG;
      fail(path);
    }
    path.copy(address.sun_path, path.size());
    Descriptor fd(check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    check(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), path);
    return Napi::Number::New(info.Env(), fd.release());
  });
}

/** The processors that the calling thread may use. */
Napi::Value get_affinity(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    cpu_set_t set;
    check(sched_getaffinity(0, sizeof set, &set), "sched_getaffinity");
    auto result = Napi::Array::New(info.Env());
    for (int cpu = 0, place = 0; cpu < CPU_SETSIZE; cpu++)
      if (CPU_ISSET(cpu, &set)) result.Set(static_cast<uint32_t>(place++), Napi::Number::New(info.Env(), cpu));
    return result;
  });
}

/** (thread, [cpu, …]): lets a thread use these processors only; 0 is the calling thread. False where it has gone. */
Napi::Value set_affinity(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    cpu_set_t set;
    CPU_ZERO(&set);
    auto cpus = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < cpus.Length(); i++) CPU_SET(cpus.Get(i).As<Napi::Number>().Uint32Value(), &set);
    int result = sched_setaffinity(int_argument(info, 0), sizeof set, &set);
    if (result < 0 && errno != ESRCH) fail("sched_setaffinity");
    return Napi::Boolean::New(info.Env(), result == 0);
  });
}

Napi::Value current_cpu(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), check(sched_getcpu(), "sched_getcpu")); });
}

void trim(const Napi::CallbackInfo&) { trim_mappings(); }

/** What a line is to be: the flags and the level of an output, from argument `first` on. */
uint64_t line_flags(const Napi::CallbackInfo& info, size_t first) { return info[first].As<Napi::Number>().Int64Value(); }
bool line_level(const Napi::CallbackInfo& info, size_t first) { return int_argument(info, first) != 0; }

Napi::Value request_gpio(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    std::string chip = info[0].As<Napi::String>();
    uint32_t offset = info[1].As<Napi::Number>().Uint32Value();
    return Napi::Number::New(info.Env(), request_line(chip, offset, line_flags(info, 2), line_level(info, 3)));
  });
}

void configure_gpio(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { configure_line(int_argument(info, 0), line_flags(info, 1), line_level(info, 2)); });
}

Napi::Value read_gpio(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), read_line(int_argument(info, 0)) ? 1 : 0); });
}

void write_gpio(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { write_line(int_argument(info, 0), line_level(info, 1)); });
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("Hub", HubObject::define(env));
  exports.Set("Mapping", MappingObject::define(env));
  exports.Set("Machine", kvm::define_machine(env));
  exports.Set("createSharedMemory", Napi::Function::New<create_memory>(env));
  exports.Set("trimMappings", Napi::Function::New<trim>(env));
  exports.Set("spawn", Napi::Function::New<spawn_child>(env));
  exports.Set("pipe", Napi::Function::New<create_pipe>(env));
  exports.Set("duplicate", Napi::Function::New<duplicate>(env));
  exports.Set("setNonBlocking", Napi::Function::New<set_non_blocking>(env));
  exports.Set("socketPair", Napi::Function::New<create_socket_pair>(env));
  exports.Set("connectUnix", Napi::Function::New<connect_unix>(env));
  exports.Set("getAffinity", Napi::Function::New<get_affinity>(env));
  exports.Set("setAffinity", Napi::Function::New<set_affinity>(env));
  exports.Set("requestGpio", Napi::Function::New<request_gpio>(env));
  exports.Set("configureGpio", Napi::Function::New<configure_gpio>(env));
  exports.Set("readGpio", Napi::Function::New<read_gpio>(env));
  exports.Set("writeGpio", Napi::Function::New<write_gpio>(env));
  exports.Set("currentCpu", Napi::Function::New<current_cpu>(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(oneclock, initialise)
