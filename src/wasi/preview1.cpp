#include "wasi/preview1.h"

#include "runtime/linker.h"

namespace heddle::wasi {

namespace {

// The name of each function as a type, so that one adapter can tell reports what it is.
#define FUNCTION(result, name, parameters, handler, unstable) \
  struct Name_##name {                                        \
    static constexpr const char* kText = #name;               \
  };
#include "wasi/preview1.def"
#undef FUNCTION

template <auto Fn, class Name, class Signature = decltype(Fn)>
struct Adapter;

template <auto Fn, class Name, class... A>
struct Adapter<Fn, Name, Errno (*)(Call&, A...)> {
  static std::uint32_t handle(runtime::HostCall& host, A... a) {
    Call call(host, Name::kText);
    return static_cast<std::uint32_t>(Fn(call, a...));
  }
};

template <auto Fn, class Name, class... A>
struct Adapter<Fn, Name, void (*)(Call&, A...)> {
  static void handle(runtime::HostCall& host, A... a) {
    Call call(host, Name::kText);
    Fn(call, a...);
  }
};

using runtime::HostModule;

constexpr HostModule::Function kPreview1[] = {
#define FUNCTION(result, name, parameters, handler, unstable) \
  {#name, &runtime::host_function<&Adapter<&handlers::handler, Name_##name>::handle>},
#include "wasi/preview1.def"
#undef FUNCTION
};

constexpr HostModule::Function kUnstable[] = {
#define FUNCTION(result, name, parameters, handler, unstable) \
  {#name, &runtime::host_function<&Adapter<&handlers::unstable, Name_##name>::handle>},
#include "wasi/preview1.def"
#undef FUNCTION
};

constexpr HostModule kModules[] = {{"wasi_snapshot_preview1", kPreview1}, {"wasi_unstable", kUnstable}};

}  // namespace

std::span<const HostModule> preview1_modules() {
  return kModules;
}

void define_preview1(runtime::Linker& linker, Context& context) {
  for (const HostModule& module : kModules) linker.define_host_module(module, &context);
}

}  // namespace heddle::wasi
