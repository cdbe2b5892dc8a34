/** Conditions: what is true of the parameters that were given. */
import { TemplateProblem } from '../problem.ts'
import { argumentList, CONDITION_FUNCTIONS, callOf, evaluatedText, type FunctionCall, type Scope } from './evaluate.ts'
import type { TemplateNode } from './node.ts'

export function isTrue(call: FunctionCall, scope: Scope): boolean {
  const { name, argument, place } = call
  switch (name) {
    case 'Condition':
      return scope.condition(evaluatedText(argument, scope, name), argument.place)
    case 'Fn::Equals': {
      const [left, right] = argumentList(argument, name, 2, 2).map((part) => evaluatedText(part, scope, name))
      return left === right
    }
    case 'Fn::Not':
      return argumentList(argument, name, 1, 1).every((part) => !conditionIn(part, scope))
    case 'Fn::And':
      return argumentList(argument, name, 2, 10).every((part) => conditionIn(part, scope))
    case 'Fn::Or':
      return argumentList(argument, name, 2, 10).some((part) => conditionIn(part, scope))
    default:
      throw new TemplateProblem(place, `${name} is no condition`, `use one of ${CONDITION_FUNCTIONS.join(', ')}`)
  }
}

export function conditionIn(node: TemplateNode, scope: Scope): boolean {
  const call = callOf(node)
  if (call !== undefined) return isTrue(call, scope)
  throw new TemplateProblem(node.place, 'this is no condition', `use one of ${CONDITION_FUNCTIONS.join(', ')}`)
}
