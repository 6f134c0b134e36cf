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

}  // namespace

std::vector<NamedFunction> preview1_functions(Context& context) {
  std::vector<NamedFunction> all;
#define FUNCTION(result, name, parameters, handler, unstable) \
  all.push_back({"wasi_snapshot_preview1", #name,             \
                 runtime::host_function<&Adapter<&handlers::handler, Name_##name>::handle>(&context)});
#include "wasi/preview1.def"
#undef FUNCTION
#define FUNCTION(result, name, parameters, handler, unstable) \
  all.push_back(                                              \
      {"wasi_unstable", #name, runtime::host_function<&Adapter<&handlers::unstable, Name_##name>::handle>(&context)});
#include "wasi/preview1.def"
#undef FUNCTION
  return all;
}

void define_preview1(runtime::Linker& linker, Context& context) {
  for (NamedFunction& f : preview1_functions(context)) linker.define(f.module, f.name, std::move(f.function));
}

}  // namespace heddle::wasi
