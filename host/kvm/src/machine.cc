// SPDX-License-Identifier: MIT
#include "machine.hh"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <chrono>
#include <ctime>

#include "kick.hh"
#include "live.hh"

namespace oneclock::kvm {

namespace {

constexpr int kApiVersion = 12;
constexpr unsigned long kTssAddress = 0xfffbd000;  // three pages that Intel processors need, above all memory
constexpr auto kLimit = std::chrono::seconds(5);  // for the thread to begin, or to end

/** While it lives, a thread that is started takes the kick signal only: all others are for the main thread. */
class OnlyKickSignal {
 public:
  OnlyKickSignal() {
    sigset_t others;
    sigfillset(&others);
    for (int signal : {kick_signal(), SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) sigdelset(&others, signal);
    pthread_sigmask(SIG_SETMASK, &others, &before_);
  }
  ~OnlyKickSignal() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

Descriptor open_kvm(const std::string& device) {
  Descriptor kvm(check(open(device.c_str(), O_RDWR | O_CLOEXEC), device));
  if (check(ioctl(kvm.get(), KVM_GET_API_VERSION, 0), device) != kApiVersion ||
      ioctl(kvm.get(), KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT) <= 0) {
    errno = ENOTSUP;
    fail(device);
  }
  return kvm;
}

Descriptor create_vm(int kvm, const GuestMemory& memory) {
  Descriptor vm(check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM"));
  check(ioctl(vm.get(), KVM_SET_TSS_ADDR, kTssAddress), "KVM_SET_TSS_ADDR");
  kvm_userspace_memory_region region{};
  region.memory_size = memory.length();
  region.userspace_addr = reinterpret_cast<uint64_t>(memory.bytes());
  check(ioctl(vm.get(), KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  return vm;
}

/** Has our hypercall come to us. False where this host's KVM keeps it to itself. */
bool enable_hypercall(int vm) {
  constexpr uint64_t mask = uint64_t{1} << ONECLOCK_HC_NUMBER;
  int possible = ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_EXIT_HYPERCALL);
  if (possible < 0 || (static_cast<uint64_t>(possible) & mask) == 0) return false;
  kvm_enable_cap wanted{};
  wanted.cap = KVM_CAP_EXIT_HYPERCALL;
  wanted.args[0] = mask;
  return ioctl(vm, KVM_ENABLE_CAP, &wanted) == 0;
}

enum class State { kReady, kRunning, kStopped, kEnded };

bool asks(ExitKind kind) {
  return kind == ExitKind::kIn || kind == ExitKind::kRead || kind == ExitKind::kHypercall;
}

}  // namespace

/** What the guest's thread needs. It is the thread's too, so that one that cannot be ended loses nothing under its feet. */
struct Machine::Core {
  Core(const std::string& device, int memory_fd, size_t length, std::optional<PlatformOptions> options)
      : kvm(open_kvm(device)),
        memory(memory_fd, length),
        vm(create_vm(kvm.get(), memory)),
        vcpu(kvm.get(), vm.get(), !options || options->clock != ClockKind::kTimers),
        event(check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    record->page = kNoPage;
    if (!options) return;
    if ((options->features & ONECLOCK_HC_FEATURE_HYPERCALL) && !enable_hypercall(vm.get()))
      options->features &= ~ONECLOCK_HC_FEATURE_HYPERCALL;
    platform.emplace(*options, memory, interrupts, *record);
    if (platform->real_time()) live.emplace(vcpu, *platform, interrupts, options->devices);
  }

  void run();
  bool begin();
  bool serve(Exit& exit);
  bool report(const Exit& exit);
  void raise_event() const;

  Descriptor kvm;
  GuestMemory memory;
  Descriptor vm;
  Vcpu vcpu;
  Descriptor event;
  // The thread's turn while kRunning, the controller's in every other state.
  std::shared_ptr<ExitRecord> record = std::make_shared<ExitRecord>();
  Interrupts interrupts;
  std::optional<Platform> platform;
  std::optional<Live> live;
  Exit last{};  // the guest's own, whoever has seen it; the thread's alone

  std::mutex mutex;  // of all that follows
  std::condition_variable changed;
  State state = State::kReady;
  std::exception_ptr failure;  // to begin
  timespec cpu_used{};  // by the thread, once it has ended
  bool kick_wanted = false;
  bool stop_wanted = false;
};

void Machine::Core::run() {
  bool on = begin();
  while (on) {
    if (live && !live->enter()) break;
    Exit exit = vcpu.run(interrupts);
    if (live) live->leave();
    record->count++;
    on = serve(exit);
    if (on && asks(exit.kind)) vcpu.answer(exit.value);
  }
  std::lock_guard<std::mutex> lock(mutex);
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  cpu_used = used;
  state = State::kEnded;
  changed.notify_all();
}

/** A guest with a platform begins when the controller has said what time it is; or, in real time, has let it go. */
bool Machine::Core::begin() {
  std::unique_lock<std::mutex> lock(mutex);
  record->thread = static_cast<uint32_t>(gettid());
  try {
    if (live) live->begin();
  } catch (const std::system_error&) {
    failure = std::current_exception();
  }
  state = platform && !live ? State::kStopped : State::kRunning;
  changed.notify_all();
  changed.wait(lock, [this] { return state != State::kStopped || stop_wanted; });
  Exit beginning{ExitKind::kWait, 0, 0, 0};
  return !stop_wanted && !failure && (!platform || platform->proceed(beginning));
}

/** What an exit asks for is done, by the platform or by the controller. False where the guest is not to go on. */
bool Machine::Core::serve(Exit& exit) {
  Exit cause = exit;
  bool done = platform && platform->handle(exit, vcpu.hypercall_args());
  while (!done) {
    if (exit.kind == ExitKind::kBreach || exit.kind == ExitKind::kPower) last = cause;
    bool goes_on = live && exit.kind == ExitKind::kWait ? live->sleep() : report(exit);
    if (!goes_on) return false;
    if (platform) {
      done = platform->proceed(exit);
    } else {
      exit.value = record->now.value;
      done = true;
    }
  }
  if (cause.kind != ExitKind::kKicked) last = cause;
  return true;
}

/** Shows an exit to the controller and waits for its word. False where the guest is not to go on. */
bool Machine::Core::report(const Exit& exit) {
  std::unique_lock<std::mutex> lock(mutex);
  if (stop_wanted) return false;
  // An interrupt was raised, or the kick came when the guest had stopped by itself.
  if (exit.kind == ExitKind::kKicked && !kick_wanted) return true;
  if (exit.kind == ExitKind::kHalt && exit.value != 0 && interrupts.next() >= 0) return true;
  if (exit.kind == ExitKind::kWait && platform->awake()) return true;
  kick_wanted = false;
  record->before = last;
  record->now = exit;
  if (platform) record->time = platform->now();
  bool ended = ends_guest(exit.kind);
  state = ended ? State::kEnded : State::kStopped;
  // Who wakes up by it wants the mutex, and would wait for it at once.
  lock.unlock();
  raise_event();
  if (ended) return false;
  lock.lock();
  changed.wait(lock, [this] { return state != State::kStopped || stop_wanted; });
  return !stop_wanted;
}

void Machine::Core::raise_event() const {
  uint64_t one = 1;
  // Cannot fail: nobody lives to see 2^64 stops. The counter is never read.
  [[maybe_unused]] ssize_t written = write(event.get(), &one, sizeof one);
}

Machine::Machine(const std::string& device, int memory, size_t length, std::optional<PlatformOptions> platform)
    : core_(std::make_shared<Core>(device, memory, length, platform)) {
  install_kick_signal();
}

Machine::~Machine() {
  try {
    stop();
  } catch (const std::system_error&) {
    // The thread has what it needs; nobody is left to be told.
  }
}

int Machine::duplicate_event() const { return check(fcntl(core_->event.get(), F_DUPFD_CLOEXEC, 0), "fcntl"); }

std::shared_ptr<ExitRecord> Machine::record() const { return core_->record; }

void Machine::start(const Entry& entry) {
  if (!core_ || core_->state != State::kReady) {
    errno = EALREADY;
    fail("start of a guest");
  }
  core_->vcpu.enter(core_->memory, entry);
  OnlyKickSignal signals;
  thread_ = std::thread([core = core_] { core->run(); });
  pthread_setname_np(thread_.native_handle(), "kvm-guest");
  std::unique_lock<std::mutex> lock(core_->mutex);
  if (!core_->changed.wait_for(lock, kLimit, [this] { return core_->state != State::kReady; })) {
    errno = ETIMEDOUT;
    fail("the beginning of a guest's thread");
  }
  if (core_->failure) std::rethrow_exception(core_->failure);
}

void Machine::resume() {
  if (!core_) return;
  {
    std::lock_guard<std::mutex> lock(core_->mutex);
    if (core_->state != State::kStopped) return;
    core_->state = State::kRunning;
  }
  // The thread wants the mutex as soon as it is awake.
  core_->changed.notify_all();
}

void Machine::interrupt(uint8_t vector) {
  if (!core_) return;
  std::lock_guard<std::mutex> lock(core_->mutex);
  core_->interrupts.raise(vector);
  if (core_->live)
    core_->live->wake();
  else if (core_->state == State::kRunning)
    kvm::kick(core_->vcpu, thread_.native_handle());
}

bool Machine::interrupt_pending() const { return core_ && core_->interrupts.next() >= 0; }

bool Machine::interrupt_pending(uint8_t vector) const { return core_ && core_->interrupts.waits(vector); }

void Machine::interrupt_virtio(uint32_t slot, uint32_t bits) {
  if (!core_) return;
  std::lock_guard<std::mutex> lock(core_->mutex);
  if (core_->state == State::kRunning && !core_->live) {
    errno = EBUSY;
    fail("an interrupt of a device to a guest that does not stand still");
  }
  bool raised = core_->live ? core_->live->interrupt_virtio(slot, bits)
                            : core_->platform && core_->platform->virtio().raise(slot, bits);
  if (!raised) {
    errno = ENODEV;
    fail("an interrupt of virtio device " + std::to_string(slot));
  }
}

/** Has something done with the notifications of a guest that stands still; false is for what does not fit. */
template <typename Action>
void Machine::notifications(const char* what, Action action) {
  if (!core_) return;
  std::lock_guard<std::mutex> lock(core_->mutex);
  if (core_->state == State::kRunning) {
    errno = EBUSY;
    fail(what);
  }
  if (core_->platform && action(core_->platform->notifications())) return;
  errno = EINVAL;
  fail(what);
}

void Machine::set_patience(uint32_t slot, uint64_t nanoseconds) {
  notifications("patience with a virtio device", [&](Notifications& all) { return all.set_patience(slot, nanoseconds); });
}

void Machine::open_queue(uint32_t slot, uint32_t queue, uint64_t available, uint64_t event) {
  notifications("a queue of a virtio device", [&](Notifications& all) { return all.open(slot, queue, available, event); });
}

void Machine::close_queue(uint32_t slot, uint32_t queue) {
  notifications("a queue of a virtio device", [&](Notifications& all) {
    all.close(slot, queue);
    return true;
  });
}

double Machine::cpu_ms() const {
  timespec used = cpu_used_;
  if (core_) {
    std::lock_guard<std::mutex> lock(core_->mutex);
    used = core_->cpu_used;
    if (core_->state == State::kRunning || core_->state == State::kStopped) {
      clockid_t clock;
      auto thread = const_cast<std::thread&>(thread_).native_handle();
      if (pthread_getcpuclockid(thread, &clock) == 0) clock_gettime(clock, &used);
    }
  }
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

void Machine::kick() {
  if (!core_) return;
  std::lock_guard<std::mutex> lock(core_->mutex);
  if (core_->state != State::kRunning) return;
  core_->kick_wanted = true;
  kvm::kick(core_->vcpu, thread_.native_handle());
}

void Machine::freeze() {
  if (core_ && core_->live) core_->live->freeze();
}

void Machine::thaw() {
  if (core_ && core_->live) core_->live->thaw();
}

uint64_t Machine::now() const { return core_ && core_->live ? core_->live->now() : 0; }

Registers Machine::registers() const {
  if (core_) {
    std::lock_guard<std::mutex> lock(core_->mutex);
    if (core_->state != State::kRunning) return core_->vcpu.registers();
  }
  errno = EBUSY;
  fail("registers of a guest that does not stand still");
}

void Machine::stop() {
  if (!core_) return;
  // What is left of it is the thread's: the last of the two closes everything.
  std::shared_ptr<Core> core = std::move(core_);
  if (!thread_.joinable()) return;
  {
    std::unique_lock<std::mutex> lock(core->mutex);
    core->stop_wanted = true;
    core->changed.notify_all();
    if (core->live) core->live->stop();
    if (core->state == State::kRunning) kvm::kick(core->vcpu, thread_.native_handle());
    if (!core->changed.wait_for(lock, kLimit, [&] { return core->state == State::kEnded; })) {
      thread_.detach();
      errno = ETIMEDOUT;
      fail("the end of a guest's thread");
    }
  }
  thread_.join();
  cpu_used_ = core->cpu_used;
}

}  // namespace oneclock::kvm
