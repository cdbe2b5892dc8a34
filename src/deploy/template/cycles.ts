/** Resources that need each other: no order of making them would do. */
import { TemplateProblem } from '../problem.ts'
import { callOf, substitutions } from './evaluate.ts'
import type { FieldsNode, Place, TemplateNode } from './node.ts'

interface Dependent {
  readonly logicalId: string
  readonly type: string
  readonly place: Place
  readonly properties: FieldsNode
  readonly dependsOn: readonly string[]
}

/** Throws a `TemplateProblem` that names the circle. */
export function requireAcyclic(resources: ReadonlyMap<string, Dependent>): void {
  const settled = new Set<string>()
  for (const start of resources.values()) {
    // Depth first, with a stack of our own: a chain may be as long as the template.
    const path: { readonly resource: Dependent; readonly next: Iterator<string> }[] = []
    const onPath = new Set<string>()
    const enter = (resource: Dependent): void => {
      if (settled.has(resource.logicalId)) return
      onPath.add(resource.logicalId)
      path.push({ resource, next: dependenciesOf(resource).values() })
    }
    enter(start)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { done, value } = top.next.next()
      if (done === true) {
        settled.add(top.resource.logicalId)
        onPath.delete(top.resource.logicalId)
        path.pop()
        continue
      }
      if (onPath.has(value)) {
        const names = path.map(({ resource }) => resource.logicalId)
        throw circle([...names.slice(names.indexOf(value)), value], resources.get(value) ?? top.resource)
      }
      const needed = resources.get(value)
      if (needed !== undefined) enter(needed)
    }
  }
}

const circle = (names: readonly string[], { place }: Dependent): TemplateProblem =>
  new TemplateProblem(
    place,
    `resources need each other in a circle: ${names.join(' → ')}`,
    'take one of the references out: write a name instead of referring to it',
  )

/** Properties of a serverless function that become resources of their own, which need the function, not it them. */
const APART = new Set([
  'Connectors',
  'DeploymentPreference',
  'EventInvokeConfig',
  'Events',
  'FunctionUrlConfig',
  'Policies',
])

function dependenciesOf({ type, properties, dependsOn }: Dependent): ReadonlySet<string> {
  const found = new Set(dependsOn)
  const visit = (node: TemplateNode): void => {
    if (node.kind === 'list') for (const item of node.items) visit(item)
    if (node.kind !== 'fields') return
    for (const name of referencesOf(node)) found.add(name)
    for (const { value } of node.fields.values()) visit(value)
  }
  const apart = type === 'AWS::Serverless::Function' ? APART : new Set<string>()
  for (const [name, { value }] of properties.fields) if (!apart.has(name)) visit(value)
  return found
}

/** `Orders.Arn` needs `Orders`. */
const resourceOf = (reference: string): string => reference.split('.')[0] ?? ''

function referencesOf(node: TemplateNode): readonly string[] {
  const call = callOf(node)
  if (call === undefined) return []
  const { name, argument } = call
  const [first] = argument.kind === 'list' ? argument.items : [argument]
  if (first?.kind !== 'scalar') return []
  if (name === 'Ref' || name === 'Fn::GetAtt') return [resourceOf(first.text)]
  if (name !== 'Fn::Sub') return []
  const variables = argument.kind === 'list' ? argument.items[1] : undefined
  const own = variables?.kind === 'fields' ? variables.fields : new Map()
  return substitutions(first.text)
    .filter((each) => !own.has(each))
    .map(resourceOf)
}
