// SPDX-License-Identifier: MIT
// Machines for JavaScript; the only file here that knows it.
#include "binding.hh"

#include <memory>

#include "guarded.hh"
#include "machine.hh"

namespace oneclock::kvm {

namespace {

uint64_t address_argument(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<uint64_t>(info[index].As<Napi::Number>().Int64Value());
}

uint32_t word_argument(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Uint32Value();
}

uint64_t instant_argument(const Napi::CallbackInfo& info, size_t index) {
  bool lossless;
  return info[index].As<Napi::BigInt>().Uint64Value(&lossless);
}

class MachineObject : public Napi::ObjectWrap<MachineObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Machine",
                       {InstanceMethod<&MachineObject::event>("event"), InstanceMethod<&MachineObject::start>("start"),
                        InstanceMethod<&MachineObject::resume>("resume"),
                        InstanceMethod<&MachineObject::interrupt>("interrupt"),
                        InstanceMethod<&MachineObject::interrupt_pending>("interruptPending"),
                        InstanceMethod<&MachineObject::interrupt_virtio>("interruptVirtio"),
                        InstanceMethod<&MachineObject::set_patience>("setPatience"),
                        InstanceMethod<&MachineObject::open_queue>("openQueue"),
                        InstanceMethod<&MachineObject::close_queue>("closeQueue"),
                        InstanceMethod<&MachineObject::kick>("kick"),
                        InstanceMethod<&MachineObject::freeze>("freeze"),
                        InstanceMethod<&MachineObject::thaw>("thaw"), InstanceMethod<&MachineObject::now>("now"),
                        InstanceMethod<&MachineObject::cpu_ms>("cpuMs"),
                        InstanceMethod<&MachineObject::registers>("registers"),
                        InstanceMethod<&MachineObject::stop>("stop"),
                        StaticMethod<&MachineObject::virtio_line>("virtioLine"),
                        StaticValue("VIRTIO_BASE", Napi::Number::New(env, VirtioInterrupts::kBase)),
                        StaticValue("VIRTIO_BYTES", Napi::Number::New(env, VirtioInterrupts::kBytes)),
                        StaticValue("IMAGE_BASE", Napi::Number::New(env, kImageBase)),
                        StaticValue("STACK", Napi::Number::New(env, kPageTables)),
                        StaticValue("MIN_MEMORY", Napi::Number::New(env, kMinMemory)),
                        StaticValue("MAX_MEMORY", Napi::Number::New(env, kMaxMemory))});
  }

  /** (device, memory descriptor, length[, clock, time of day, features, devices]); gives the object its `record`. */
  explicit MachineObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    Napi::Env env = info.Env();
    guarded(env, [&] {
      std::optional<PlatformOptions> platform;
      if (info.Length() > 3)
        platform = {static_cast<ClockKind>(word_argument(info, 3)), instant_argument(info, 4), word_argument(info, 5),
                    word_argument(info, 6)};
      machine_ = std::make_unique<Machine>(info[0].As<Napi::String>().Utf8Value(),
                                           info[1].As<Napi::Number>().Int32Value(), address_argument(info, 2), platform);
    });
    // The buffer keeps the record alive, whichever of the two is collected first.
    auto* owner = new std::shared_ptr<ExitRecord>(machine_->record());
    info.This().As<Napi::Object>().Set(
        "record", Napi::ArrayBuffer::New(
                      env, owner->get(), sizeof(ExitRecord),
                      [](Napi::Env, void*, std::shared_ptr<ExitRecord>* record) { delete record; }, owner));
  }

 private:
  Napi::Value event(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), machine_->duplicate_event()); });
  }

  /** (address, stack, argument) */
  void start(const Napi::CallbackInfo& info) {
    Entry entry{address_argument(info, 0), address_argument(info, 1), address_argument(info, 2)};
    guarded(info.Env(), [&] { machine_->start(entry); });
  }

  void resume(const Napi::CallbackInfo&) { machine_->resume(); }

  void interrupt(const Napi::CallbackInfo& info) {
    machine_->interrupt(static_cast<uint8_t>(info[0].As<Napi::Number>().Uint32Value()));
  }

  Napi::Value interrupt_pending(const Napi::CallbackInfo& info) {
    bool pending = info.Length() == 0 ? machine_->interrupt_pending()
                                      : machine_->interrupt_pending(static_cast<uint8_t>(word_argument(info, 0)));
    return Napi::Boolean::New(info.Env(), pending);
  }

  /** (slot, bits) */
  void interrupt_virtio(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { machine_->interrupt_virtio(word_argument(info, 0), word_argument(info, 1)); });
  }

  /** (slot, nanoseconds) */
  void set_patience(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { machine_->set_patience(word_argument(info, 0), instant_argument(info, 1)); });
  }

  /** (slot, queue, available, event) */
  void open_queue(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      machine_->open_queue(word_argument(info, 0), word_argument(info, 1), address_argument(info, 2),
                           address_argument(info, 3));
    });
  }

  /** (slot, queue) */
  void close_queue(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { machine_->close_queue(word_argument(info, 0), word_argument(info, 1)); });
  }

  Napi::Value cpu_ms(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), machine_->cpu_ms());
  }

  static Napi::Value virtio_line(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), VirtioInterrupts::line(word_argument(info, 0)));
  }

  void kick(const Napi::CallbackInfo&) { machine_->kick(); }

  void freeze(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { machine_->freeze(); });
  }

  void thaw(const Napi::CallbackInfo&) { machine_->thaw(); }

  Napi::Value now(const Napi::CallbackInfo& info) { return Napi::BigInt::New(info.Env(), machine_->now()); }

  /** In the order of REGISTER_NAMES in host/kvm/registers.ts; without the last five where they are lost. */
  Napi::Value registers(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      Registers registers = machine_->registers();
      const kvm_regs& g = registers.general;
      const kvm_sregs& s = registers.system;
      const uint64_t values[] = {g.rip, g.rflags, g.rsp, g.rax, g.rbx, g.rcx, g.rdx, g.rsi, g.rdi, g.rbp, g.r8, g.r9,
                                 g.r10, g.r11,    g.r12, g.r13, g.r14, g.r15, s.cr0, s.cr2, s.cr3, s.cr4, s.efer};
      size_t count = sizeof values / sizeof *values - (registers.lost ? 5 : 0);
      auto result = Napi::BigUint64Array::New(info.Env(), count);
      std::copy(values, values + count, result.Data());
      return result;
    });
  }

  void stop(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { machine_->stop(); });
  }

  std::unique_ptr<Machine> machine_;
};

}  // namespace

Napi::Function define_machine(Napi::Env env) { return MachineObject::define(env); }

}  // namespace oneclock::kvm
