// The verbs of the command line: `heddle <verb> ...`. Adding one is a line in kVerbs (main.cpp) and a file of its own.
#pragma once

namespace heddle::cli {

struct CompileArguments;
struct RunArguments;

/// argv[0] is the verb (or "heddle" where the verb was left out). Returns the exit code.
using VerbMain = int (*)(int argc, char** argv);

int compile_main(int argc, char** argv);
int run_main(int argc, char** argv);
int cache_main(int argc, char** argv);
int inspect_main(int argc, char** argv);
int print_main(int argc, char** argv);
int timeline_main(int argc, char** argv);
int validate_main(int argc, char** argv);
int wast_main(int argc, char** argv);

/// Lets the run use the code cache, unless that is switched off or the program could write to it.
void set_up_cache(RunArguments& arguments);
/// The cache where it usually lies, without notes.
void use_default_cache(CompileArguments& arguments);

}  // namespace heddle::cli
