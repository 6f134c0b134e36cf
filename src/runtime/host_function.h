// Functions of the host that wasm can import. A HostFunction is a definition: independent of any store, immutable,
// shared by all threads. Instantiation binds it to a store and an importing instance (abi::VmHostFunc).
//
// Typed handlers: `host_function<&handler>(user)` wraps `R handler(HostCall&, A...)`, with A and R among std::uint32_t,
// std::int32_t, std::uint64_t, std::int64_t, float, double (R may be void); the FuncType follows from the C++ type.
// Generic handlers take VmValues and any FuncType. A handler may raise a trap with HostCall::trap; it then returns at
// once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "abi/calling_convention.h"
#include "abi/vmctx.h"
#include "module/canonical_type.h"
#include "runtime/guest_memory.h"
#include "spec/trap_codes.h"
#include "spec/types.h"

namespace heddle::runtime {

class Store;
class Instance;

/// Everything a handler may know about the call. Lives on the host stack for the length of the call; own thread only.
class HostCall {
 public:
  HostCall(abi::VmHostFunc* self, abi::VmHostArgs* args) : self_(self), args_(args) {}

  Store& store() const;
  /// The instance that imported the function; nullptr if the host called it directly.
  Instance* instance() const { return static_cast<Instance*>(self_->instance); }
  void* user() const { return self_->user; }
  abi::VmStore* vm_store() const { return self_->store; }
  /// The importing instance's exported memory "memory", else its memory 0; nullptr if it has none.
  abi::VmMemory* memory() const;
  /// True if this thread shall leave wasm: return at once, whatever the result.
  bool interrupted() const { return self_->store->interrupt.load(std::memory_order_acquire) != 0; }
  /// Makes the call end in a trap of the calling thread as soon as the handler returns. `message` stands for host_trap.
  void trap(spec::TrapCode code, std::string message = {});
  abi::VmHostArgs* args() const { return args_; }

 private:
  abi::VmHostFunc* self_;
  abi::VmHostArgs* args_;
};

class HostFunction {
 public:
  using Handler = void (*)(abi::VmHostFunc* self, abi::VmHostArgs* args);
  using Generic = void (*)(HostCall& call, const abi::VmValue* params, abi::VmValue* results);

  HostFunction(spec::FuncType type, Handler handler, void* user);
  /// A handler that gets its parameters decoded; `user` is borrowed and must outlive every use.
  static std::shared_ptr<const HostFunction> generic(spec::FuncType type, Generic handler, void* user);
  /// The same for a type that mentions types of some module; `canonical` is kept alive by the caller.
  static std::shared_ptr<const HostFunction> generic(spec::FuncType type, const module::CanonicalType* canonical,
                                                     Generic handler, void* user);

  const spec::FuncType& type() const { return type_; }
  const module::CanonicalType* canonical() const { return canonical_; }
  Handler handler() const { return handler_; }
  void* user() const { return user_; }
  Generic generic_handler() const { return generic_; }

 private:
  HostFunction(spec::FuncType type, const module::CanonicalType* canonical, Generic handler, void* user);
  spec::FuncType type_;
  std::shared_ptr<const module::RecGroup> group_;  // keeps canonical_ alive, unless somebody else does
  const module::CanonicalType* canonical_;
  Handler handler_;
  Generic generic_ = nullptr;
  void* user_;
};

/// The function as an object of a store: `instance` and `self_ref.vmctx` are the caller's to set. self_ref.owner is the
/// HostFunction, which must outlive it.
abi::VmHostFunc bind_host_function(const HostFunction& function, Store& store);

/// The host function behind a reference, or nullptr if it is a wasm function (whose `owner` is its Instance).
const HostFunction* host_function_of(const abi::VmFuncRef& ref);

namespace detail {

template <class T>
constexpr spec::ValType val_type() {
  if constexpr (std::is_same_v<T, float>)
    return spec::kF32;
  else if constexpr (std::is_same_v<T, double>)
    return spec::kF64;
  else if constexpr (sizeof(T) == 8)
    return spec::kI64;
  else
    return spec::kI32;
}

/// Fetches one parameter by its place (calling_convention.h).
template <class T>
T fetch(abi::VmHostFunc* self, const abi::VmHostArgs* args, abi::ParamLocations& places) {
  const abi::Location at = places.next(val_type<T>());
  if (at.kind == abi::Location::Kind::int_reg) return static_cast<T>(args->ints[at.index]);
  const abi::VmValue& value =
      at.kind == abi::Location::Kind::float_reg ? args->floats[at.index] : self->store->overflow[at.index];
  if constexpr (std::is_same_v<T, float>)
    return value.f32;
  else if constexpr (std::is_same_v<T, double>)
    return value.f64;
  else
    return static_cast<T>(value.i64);
}

template <class R>
void put_result(abi::VmHostArgs* args, R result) {
  if constexpr (std::is_same_v<R, float>)
    args->floats[0].f32 = result;
  else if constexpr (std::is_same_v<R, double>)
    args->floats[0].f64 = result;
  else
    args->ints[0] = static_cast<std::make_unsigned_t<R>>(result);  // i32 is zero-extended
}

template <auto Fn, class Signature>
struct Adapter;

template <auto Fn, class R, class... A>
struct Adapter<Fn, R (*)(HostCall&, A...)> {
  static void handle(abi::VmHostFunc* self, abi::VmHostArgs* args) {
    HostCall call(self, args);
    abi::ParamLocations places;
    // Braces: evaluated left to right.
    std::tuple<A...> params{fetch<A>(self, args, places)...};
    if constexpr (std::is_void_v<R>)
      std::apply([&call](A... a) { Fn(call, a...); }, params);
    else
      put_result<R>(args, std::apply([&call](A... a) { return Fn(call, a...); }, params));
  }
  static spec::FuncType type() {
    spec::FuncType t;
    t.params = {val_type<A>()...};
    if constexpr (!std::is_void_v<R>) t.results = {val_type<R>()};
    return t;
  }
};

}  // namespace detail

/// A typed host function. `user` is borrowed.
template <auto Fn>
std::shared_ptr<const HostFunction> host_function(void* user) {
  using A = detail::Adapter<Fn, decltype(Fn)>;
  return std::make_shared<const HostFunction>(A::type(), &A::handle, user);
}

/// Functions by name, of static storage. They are made one by one when they are wanted: programs import a few of many.
struct HostModule {
  struct Function {
    std::string_view name;
    std::shared_ptr<const HostFunction> (*make)(void* user);  ///< host_function<&handler>
  };
  std::string_view name;
  std::span<const Function> functions;
};

}  // namespace heddle::runtime
