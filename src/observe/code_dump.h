// CodeDump (--dump-code): machine code of chosen functions, as the tiers list it (CodeArtifact::listing), as soon as it
// is made.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "code/listener.h"
#include "module/module.h"

namespace heddle::observe {

/// Which functions, and who is told of a piece of their code: all of it at once, by the thread that made it.
struct DumpOptions {
  std::vector<std::string> functions;  ///< name ("$" may be missing), export or index
  std::function<void(const std::string&)> write;
};

class CodeDump final : public code::Listener {
 public:
  explicit CodeDump(DumpOptions options) : options_(std::move(options)) {}
  bool wants_listing(const code::ModuleCode& module, spec::FuncIndex func) const override;
  void on_new_code(const code::NewCode& code) override;

  /// The first of the options' functions that the module does not define.
  std::optional<std::string> missing_in(const module::Module& m) const;

 private:
  const DumpOptions options_;
};

}  // namespace heddle::observe
