// The order of passes and why is in DESIGN.md: within a few per cent of O2 at a quarter of its compile time.
#include "llvm/pipeline.h"

#include <llvm/Analysis/AliasAnalysis.h>
#include <llvm/Analysis/AssumptionCache.h>
#include <llvm/Analysis/BasicAliasAnalysis.h>
#include <llvm/Analysis/BlockFrequencyInfo.h>
#include <llvm/Analysis/BranchProbabilityInfo.h>
#include <llvm/Analysis/DemandedBits.h>
#include <llvm/Analysis/LastRunTrackingAnalysis.h>
#include <llvm/Analysis/LoopAccessAnalysis.h>
#include <llvm/Analysis/LoopAnalysisManager.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/MemorySSA.h>
#include <llvm/Analysis/OptimizationRemarkEmitter.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/ProfileSummaryInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/PassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/SubtargetFeature.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimpleLoopUnswitch.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Vectorize/LoopVectorize.h>
#include <memory>
#include <mutex>
#include <string>

#include "base/check.h"
#include "llvm/wide_phis.h"

extern "C" {
void LLVMInitializeX86TargetInfo();
void LLVMInitializeX86Target();
void LLVMInitializeX86TargetMC();
void LLVMInitializeX86AsmPrinter();
void LLVMInitializeX86AsmParser();
}

namespace heddle::llvm_tier {
namespace {

constexpr const char* kTriple = "x86_64-unknown-linux-gnu";

/// The host's processor, but none of AVX-512: guests' vectors have 128 bits, and each of their comparisons would go
/// through a mask register and back (DESIGN.md has the figures).
std::unique_ptr<llvm::TargetMachine> make_target_machine() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();  // for the inline ud2 and reads of rsp
  });
  const llvm::Triple triple(kTriple);
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  HEDDLE_CHECK(target != nullptr, "the X86 back end is linked in");
  llvm::SubtargetFeatures features;
  for (const auto& feature : llvm::sys::getHostCPUFeatures())
    features.AddFeature(feature.first(), feature.second && !feature.first().starts_with("avx512"));
  llvm::TargetOptions options;
  options.EnableFastISel = false;
  options.FunctionSections = true;  // so that object_reader.cpp can tell whose is what
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, llvm::sys::getHostCPUName(), features.getString(), options, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default, /*JIT=*/true));
}

/// The analyses our passes ask for; PassBuilder would register (and link) every one there is.
struct Managers {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::ModuleAnalysisManager modules;

  explicit Managers(llvm::TargetMachine& machine) {
    functions.registerPass([] { return llvm::PassInstrumentationAnalysis(); });
    loops.registerPass([] { return llvm::PassInstrumentationAnalysis(); });
    modules.registerPass([] { return llvm::PassInstrumentationAnalysis(); });
    modules.registerPass([] { return llvm::ProfileSummaryAnalysis(); });
    functions.registerPass([&machine] { return machine.getTargetIRAnalysis(); });
    functions.registerPass(
        [&machine] { return llvm::TargetLibraryAnalysis(llvm::TargetLibraryInfoImpl(machine.getTargetTriple())); });
    functions.registerPass([] { return llvm::DominatorTreeAnalysis(); });
    functions.registerPass([] { return llvm::PostDominatorTreeAnalysis(); });
    functions.registerPass([] { return llvm::AssumptionAnalysis(); });
    functions.registerPass([] { return llvm::LoopAnalysis(); });
    functions.registerPass([] { return llvm::BranchProbabilityAnalysis(); });
    functions.registerPass([] { return llvm::BlockFrequencyAnalysis(); });
    functions.registerPass([] { return llvm::ScalarEvolutionAnalysis(); });
    functions.registerPass([] { return llvm::MemorySSAAnalysis(); });
    functions.registerPass([] { return llvm::LoopAccessAnalysis(); });
    functions.registerPass([] { return llvm::DemandedBitsAnalysis(); });
    functions.registerPass([] { return llvm::ShouldRunExtraVectorPasses(); });
    functions.registerPass([] { return llvm::OptimizationRemarkEmitterAnalysis(); });
    functions.registerPass([] { return llvm::LastRunTrackingAnalysis(); });
    functions.registerPass([] { return llvm::BasicAA(); });
    functions.registerPass([] {
      llvm::AAManager aliases;
      aliases.registerFunctionAnalysis<llvm::BasicAA>();
      return aliases;
    });
    functions.registerPass([this] { return llvm::LoopAnalysisManagerFunctionProxy(loops); });
    functions.registerPass([this] { return llvm::ModuleAnalysisManagerFunctionProxy(modules); });
    loops.registerPass([this] { return llvm::FunctionAnalysisManagerLoopProxy(functions); });
    modules.registerPass([this] { return llvm::FunctionAnalysisManagerModuleProxy(functions); });
  }
};

llvm::FunctionPassManager optimisation_passes() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/false));
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::InstCombinePass(llvm::InstCombineOptions().setVerifyFixpoint(false)));
  llvm::LoopPassManager loop_passes;
  loop_passes.addPass(llvm::LICMPass(llvm::LICMOptions()));
  // Takes a check of something that the loop does not change, such as an address's alignment, out of it.
  loop_passes.addPass(llvm::SimpleLoopUnswitchPass(/*NonTrivial=*/false, /*Trivial=*/true));
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(loop_passes), /*UseMemorySSA=*/true));
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::ADCEPass());
  return passes;
}

llvm::FunctionPassManager passes_after_vectorising() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::InstCombinePass(llvm::InstCombineOptions().setVerifyFixpoint(false)));
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/false));
  passes.addPass(llvm::ADCEPass());
  return passes;
}

/// As LLVM's addPassesToEmitFile, without a pass that follows the program's variables: it takes 5 % of the time, and of
/// variables we say nothing.
void add_code_generation(llvm::legacy::PassManager& passes, llvm::TargetMachine& machine,
                         llvm::raw_pwrite_stream& object) {
  auto* const functions = new llvm::MachineModuleInfoWrapperPass(&machine);  // the manager owns what is added
  llvm::TargetPassConfig* const config = machine.createPassConfig(passes);
  config->setDisableVerify(true);
  config->disablePass(&llvm::LiveDebugValuesID);
  passes.add(config);
  passes.add(functions);
  HEDDLE_CHECK(!config->addISelPasses(), "the X86 back end selects instructions");
  config->addMachinePasses();
  config->setInitialized();
  HEDDLE_CHECK(!machine.addAsmPrinter(passes, object, nullptr, llvm::CodeGenFileType::ObjectFile,
                                      functions->getMMI().getContext()),
               "the X86 back end writes object files");
  passes.add(llvm::createFreeMachineFunctionPass());
}

}  // namespace

llvm::TargetMachine& target_machine() {
  thread_local std::unique_ptr<llvm::TargetMachine> machine = make_target_machine();
  return *machine;
}

void prepare_module(llvm::Module& out) {
  out.setTargetTriple(llvm::Triple(kTriple));
  out.setDataLayout(target_machine().createDataLayout());
  out.addModuleFlag(llvm::Module::Warning, "Dwarf Version", 4);
  out.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  out.setPICLevel(llvm::PICLevel::SmallPIC);
  llvm::DIBuilder debug(out);
  debug.createCompileUnit(llvm::DISourceLanguageName(llvm::dwarf::DW_LANG_C), debug.createFile("wasm", ""), "heddle",
                          true, "", 0, "", llvm::DICompileUnit::LineTablesOnly);
  debug.finalize();
}

ObjectBytes optimise_and_emit(llvm::Module& out, std::span<const MarkedFunction> functions) {
  llvm::TargetMachine& machine = target_machine();
  {
    Managers managers(machine);
    llvm::FunctionPassManager passes = optimisation_passes();
    for (const auto& [at, memory] : functions) {
      llvm::Function& function = *at;
      managers.functions.invalidate(function, passes.run(function, managers.functions));
      if (memory && vectorise_loops(function, managers.functions, *memory))
        managers.functions.invalidate(function, passes_after_vectorising().run(function, managers.functions));
      WidePhisPass().run(function, managers.functions);
      managers.functions.clear(function, function.getName());
    }
  }
  ObjectBytes bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager codegen;
  add_code_generation(codegen, machine, stream);
  codegen.run(out);
  return bytes;
}

std::string to_text(const llvm::Module& out) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  out.print(stream, nullptr);
  return text;
}

}  // namespace heddle::llvm_tier
