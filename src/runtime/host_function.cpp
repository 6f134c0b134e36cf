#include "runtime/host_function.h"

#include "runtime/entry.h"
#include "runtime/instance.h"
#include "runtime/store.h"

namespace heddle::runtime {
namespace {

/// Puts parameters in order, calls the generic handler, puts results where the convention wants them.
void call_generic(abi::VmHostFunc* self, abi::VmHostArgs* args) {
  const auto& function = *static_cast<const HostFunction*>(self->self_ref.owner);
  const spec::FuncType& type = function.type();
  HostCall call(self, args);
  // On the stack for the usual few, so that no call allocates.
  constexpr std::size_t kFew = 16;
  abi::VmValue few[kFew] = {};
  std::vector<abi::VmValue> many;
  abi::VmValue* params = few;
  if (type.params.size() + type.results.size() > kFew) {
    many.resize(type.params.size() + type.results.size());
    params = many.data();
  }
  abi::VmValue* results = params + type.params.size();

  abi::ParamLocations places;
  for (std::size_t i = 0; i < type.params.size(); ++i) {
    const abi::Location at = places.next(type.params[i]);
    using Kind = abi::Location::Kind;
    if (at.kind == Kind::int_reg)
      params[i].i64 = args->ints[at.index];
    else
      params[i] = at.kind == Kind::float_reg ? args->floats[at.index] : self->store->overflow[at.index];
  }
  function.generic_handler()(call, params, results);
  for (std::uint32_t i = 0; i < type.results.size(); ++i) {
    const bool is_i32 = type.results[i] == spec::kI32;
    if (is_i32) results[i].i64 = results[i].i32;
    const abi::Location at = abi::result_location(type.results[i], i);
    using Kind = abi::Location::Kind;
    if (at.kind == Kind::int_reg)
      args->ints[at.index] = results[i].i64;
    else if (at.kind == Kind::float_reg)
      args->floats[at.index] = results[i];
    else
      self->store->overflow[at.index] = results[i];
  }
}

}  // namespace

Store& HostCall::store() const {
  return *static_cast<Store*>(self_->store->owner);
}

abi::VmMemory* HostCall::memory() const {
  return instance() != nullptr ? instance()->default_memory() : nullptr;
}

void HostCall::trap(spec::TrapCode code, std::string message) {
  store().trap_text() = std::move(message);
  self_->store->host_trap = static_cast<std::uint32_t>(code);
}

HostFunction::HostFunction(spec::FuncType type, Handler call, void* user_data)
    : type_(std::move(type)),
      group_(module::canonicalize(type_)),
      canonical_(group_->types[0].get()),
      handler_(call),
      user_(user_data) {}

HostFunction::HostFunction(spec::FuncType type, const module::CanonicalType* identity, Generic call, void* user_data)
    : type_(std::move(type)), canonical_(identity), handler_(&call_generic), generic_(call), user_(user_data) {}

std::shared_ptr<const HostFunction> HostFunction::generic(spec::FuncType type, Generic handler, void* user) {
  auto function = std::make_shared<HostFunction>(std::move(type), &call_generic, user);
  function->generic_ = handler;
  return function;
}

std::shared_ptr<const HostFunction> HostFunction::generic(spec::FuncType type, const module::CanonicalType* canonical,
                                                          Generic handler, void* user) {
  return std::shared_ptr<const HostFunction>(new HostFunction(std::move(type), canonical, handler, user));
}

abi::VmHostFunc bind_host_function(const HostFunction& function, Store& store) {
  abi::VmHostFunc bound;
  bound.handler = function.handler();
  bound.user = function.user();
  bound.store = store.vm();
  bound.self_ref.slot = host_thunk_slot();
  bound.self_ref.type = function.canonical();
  bound.self_ref.owner = const_cast<HostFunction*>(&function);
  return bound;
}

const HostFunction* host_function_of(const abi::VmFuncRef& ref) {
  return ref.slot == host_thunk_slot() ? static_cast<const HostFunction*>(ref.owner) : nullptr;
}

}  // namespace heddle::runtime
