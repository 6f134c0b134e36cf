#include "llvm/reroll.h"

#include <algorithm>
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/STLExtras.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/IR/Operator.h>
#include <vector>

namespace heddle::llvm_tier {
namespace {

using llvm::Instruction;
using llvm::Value;

/// Chosen: LLVM unrolls wasm by 2 or 4, rarely by 8.
constexpr unsigned kMaxCopies = 8;

class Matcher {
 public:
  Matcher(const AffineLoop& affine, llvm::ScalarEvolution& evolution, unsigned copies)
      : affine_(affine), evolution_(evolution), copies_(copies), places_(copies), befores_(copies) {
    for (const AffineAccess& access : affine.accesses) access_of_[access.instruction] = &access;
  }

  std::optional<Reroll> match() {
    if (!match_stores() || !match_reductions()) return std::nullopt;
    if (!each_access_has_a_copy() || !order_is_kept() || !settle_carried() || !values_behind_are_known())
      return std::nullopt;
    result_.copies = copies_;
    return std::move(result_);
  }

 private:
  using Places = llvm::MapVector<Value*, Value*>;  // the same order each time makes the same code each time

  bool is_inside(const Value* value) const {
    const auto* instruction = llvm::dyn_cast<Instruction>(value);
    return instruction != nullptr && affine_.loop->contains(instruction);
  }

  bool is_header_phi(const Value* value) const { return llvm::isa<llvm::PHINode>(value) && is_inside(value); }

  /// Each run's stores, by address in the direction of the loop, belong to the copies one after the other.
  bool match_stores() {
    for (std::size_t run = 0; run < affine_.runs.size(); ++run) {
      std::vector<const AffineAccess*> stores;
      for (const AffineAccess& access : affine_.accesses)
        if (access.run == run && llvm::isa<llvm::StoreInst>(access.instruction)) stores.push_back(&access);
      if (stores.size() % copies_ != 0) return false;
      const bool forwards = affine_.runs[run].stride >= 0;
      std::sort(stores.begin(), stores.end(), [forwards](const AffineAccess* a, const AffineAccess* b) {
        if (a->position == b->position) return a < b;  // as they stand in the body
        return forwards == (a->position < b->position);
      });
      const std::size_t each = stores.size() / copies_;
      for (std::size_t i = each; i < stores.size(); ++i) {
        if (!match(stores[i % each]->instruction, stores[i]->instruction, static_cast<unsigned>(i / each)))
          return false;
        result_.stores.push_back(stores[i]->instruction);
      }
    }
    return true;
  }

  /// A phi whose value goes through one operation of each copy: each of them takes the result of the one before.
  bool match_reductions() {
    for (llvm::PHINode& phi : affine_.loop->getHeader()->phis()) {
      if (steps_of(&phi) != nullptr) continue;
      auto* link = llvm::dyn_cast<Instruction>(phi.getIncomingValueForBlock(affine_.loop->getLoopLatch()));
      if (link == nullptr || llvm::isa<llvm::LoadInst>(link)) continue;
      std::vector<Instruction*> links{link};
      while (links.size() < copies_) {
        link = link_before(*link, phi);
        if (link == nullptr) return false;
        links.push_back(link);
      }
      std::reverse(links.begin(), links.end());
      for (unsigned copy = 1; copy < copies_; ++copy)
        if (!match(links[0], links[copy], copy)) return false;
    }
    return true;
  }

  Instruction* link_before(const Instruction& link, const llvm::PHINode& phi) const {
    Instruction* found = nullptr;
    for (Value* operand : link.operands()) {
      auto* before = llvm::dyn_cast<Instruction>(operand);
      if (before == nullptr || !is_inside(before) || !before->isSameOperationAs(&link)) continue;
      if (found != nullptr && !comes_from(*found, phi, 0)) found = nullptr;
      if (found == nullptr) found = before;
    }
    return found;
  }

  bool comes_from(const Instruction& value, const llvm::PHINode& phi, unsigned depth) const {
    if (depth > kMaxCopies) return false;
    return llvm::any_of(value.operands(), [&](const Value* operand) {
      if (operand == &phi) return true;
      return is_inside(operand) && !llvm::isa<llvm::PHINode>(operand) &&
             comes_from(*llvm::cast<Instruction>(operand), phi, depth + 1);
    });
  }

  const llvm::SCEVAddRecExpr* steps_of(Value* value) {
    if (!value->getType()->isIntegerTy() || !evolution_.isSCEVable(value->getType())) return nullptr;
    const auto* steps = llvm::dyn_cast<llvm::SCEVAddRecExpr>(evolution_.getSCEV(value));
    if (steps == nullptr || steps->getLoop() != affine_.loop || !steps->isAffine()) return nullptr;
    return llvm::isa<llvm::SCEVConstant>(steps->getStepRecurrence(evolution_)) ? steps : nullptr;
  }

  /// Is `there` in copy `copy` what `here` is in the first one?
  bool match(Value* here, Value* there, unsigned copy) {
    if (!is_inside(here)) return here == there;
    const auto [known, is_new] = places_[copy].try_emplace(here, there);
    if (!is_new) return known->second == there;
    if (!is_inside(there) || here->getType() != there->getType()) return false;
    if (const auto access = access_of_.find(llvm::cast<Instruction>(here)); access != access_of_.end())
      return match_accesses(*access->second, llvm::cast<Instruction>(there), copy);
    if (const auto* steps = steps_of(here)) return match_inductions(*steps, here, there, copy);
    if (is_header_phi(here)) {
      befores_[copy][here] = there;
      return true;
    }
    return match_operations(*llvm::cast<Instruction>(here), *llvm::cast<Instruction>(there), copy);
  }

  bool match_accesses(const AffineAccess& here, Instruction* instruction, unsigned copy) {
    const auto found = access_of_.find(instruction);
    if (found == access_of_.end() || !here.instruction->isSameOperationAs(instruction)) return false;
    const AffineAccess& there = *found->second;
    const std::int64_t stride = affine_.runs[here.run].stride;
    const auto apart = static_cast<std::int64_t>(there.position) - static_cast<std::int64_t>(here.position);
    if (here.run != there.run || stride % copies_ != 0 || apart != stride / copies_ * copy) return false;
    if (!copy_of_.try_emplace(instruction, copy).second || copy_of_.try_emplace(here.instruction, 0).first->second != 0)
      return false;
    const auto* store = llvm::dyn_cast<llvm::StoreInst>(here.instruction);
    return store == nullptr || match(const_cast<Value*>(store->getValueOperand()),
                                     llvm::cast<llvm::StoreInst>(instruction)->getValueOperand(), copy);
  }

  bool match_inductions(const llvm::SCEVAddRecExpr& steps, Value* here, Value* there, unsigned copy) {
    const llvm::APInt& step = llvm::cast<llvm::SCEVConstant>(steps.getStepRecurrence(evolution_))->getAPInt();
    if (step.getBitWidth() < 8) return false;  // too narrow for the number of copies
    const llvm::APInt copies(step.getBitWidth(), copies_);
    if (step.srem(copies) != 0) return false;
    const auto* apart = llvm::dyn_cast<llvm::SCEVConstant>(evolution_.getMinusSCEV(evolution_.getSCEV(there), &steps));
    if (apart == nullptr || apart->getAPInt() != step.sdiv(copies) * copy) return false;
    if (!llvm::is_contained(result_.inductions, here)) result_.inductions.push_back(llvm::cast<Instruction>(here));
    return true;
  }

  bool match_operations(Instruction& here, Instruction& there, unsigned copy) {
    if (llvm::isa<llvm::PHINode>(here) || !here.isSameOperationAs(&there)) return false;
    if (!here.hasSameSubclassOptionalData(&there)) {
      if (llvm::isa<llvm::FPMathOperator>(here)) return false;
      result_.loosened.push_back(&here);
    }
    for (unsigned i = 0; i < here.getNumOperands(); ++i)
      if (!match(here.getOperand(i), there.getOperand(i), copy)) return false;
    return true;
  }

  bool each_access_has_a_copy() const {
    return llvm::all_of(affine_.accesses,
                        [&](const AffineAccess& access) { return copy_of_.contains(access.instruction); });
  }

  /// The new loop does the accesses copy by copy, each in the order of the first. Where that changes their order, they
  /// are loads, or never meet.
  bool order_is_kept() const {
    std::vector<std::pair<std::size_t, const AffineAccess*>> order;  // where the new loop has them
    llvm::DenseMap<const Value*, std::size_t> in_first;
    for (const AffineAccess& access : affine_.accesses)
      if (copy_of_.lookup(access.instruction) == 0) in_first[access.instruction] = in_first.size();
    for (unsigned copy = 1; copy < copies_; ++copy)
      for (const auto& [here, there] : places_[copy])
        if (const auto place = in_first.find(here); place != in_first.end() && copy_of_.contains(there))
          place_in_copy_[there] = place->second;
    for (const AffineAccess& access : affine_.accesses) {
      const unsigned copy = copy_of_.lookup(access.instruction);
      const std::size_t within =
          copy == 0 ? in_first.lookup(access.instruction) : place_in_copy_.lookup(access.instruction);
      order.emplace_back(copy * in_first.size() + within, &access);
    }
    for (std::size_t a = 0; a < order.size(); ++a)
      for (std::size_t b = a + 1; b < order.size(); ++b)
        if (order[a].first > order[b].first && may_meet(*order[a].second, *order[b].second)) return false;
    return true;
  }

  static bool may_meet(const AffineAccess& a, const AffineAccess& b) {
    if (llvm::isa<llvm::LoadInst>(a.instruction) && llvm::isa<llvm::LoadInst>(b.instruction)) return false;
    if (a.run != b.run) return true;
    return a.position < b.position + b.width && b.position < a.position + a.width;
  }

  /// What a copy takes for a phi's value must be what the copy before it made, and the last copy's goes to the phi.
  bool settle_carried() {
    for (llvm::PHINode& phi : affine_.loop->getHeader()->phis()) {
      if (steps_of(&phi) != nullptr) continue;
      const auto first = befores_[1].find(&phi);
      if (first == befores_[1].end()) return false;
      Value* made = first->second;
      for (unsigned copy = 1; copy < copies_; ++copy) {
        Value* next = copy + 1 < copies_ ? befores_[copy + 1].lookup(&phi)
                                         : phi.getIncomingValueForBlock(affine_.loop->getLoopLatch());
        if (next == nullptr || places_[copy].lookup(made) != next) return false;
      }
      result_.carried.emplace_back(&phi, made);
    }
    return true;
  }

  bool values_behind_are_known() {
    for (const auto& [here, there] : places_[copies_ - 1])
      if (!is_header_phi(here)) result_.last_to_first[there] = here;
    for (llvm::PHINode& phi : affine_.loop->getExitBlock()->phis()) {
      Value* value = phi.getIncomingValueForBlock(affine_.loop->getLoopLatch());
      if (!is_inside(value)) continue;
      if (const auto* steps = steps_of(value))
        result_.ends[&phi] = steps->evaluateAtIteration(affine_.repeats, evolution_);
      else if (!result_.last_to_first.contains(value))
        return false;
    }
    return true;
  }

  const AffineLoop& affine_;
  llvm::ScalarEvolution& evolution_;
  unsigned copies_;
  llvm::DenseMap<const Value*, const AffineAccess*> access_of_;
  std::vector<Places> places_;   ///< by copy: what stands there for a value of the first one
  std::vector<Places> befores_;  ///< by copy: what it takes for a phi of the header
  llvm::DenseMap<const Value*, unsigned> copy_of_;
  mutable llvm::DenseMap<const Value*, std::size_t> place_in_copy_;
  Reroll result_;
};

}  // namespace

std::optional<Reroll> find_copies(const AffineLoop& affine, llvm::ScalarEvolution& evolution) {
  if (affine.loop->getNumBlocks() != 1) return std::nullopt;
  for (unsigned copies = kMaxCopies; copies > 1; --copies) {
    if (affine.accesses.size() % copies != 0) continue;
    if (auto found = Matcher(affine, evolution, copies).match()) return found;
  }
  return std::nullopt;
}

}  // namespace heddle::llvm_tier
