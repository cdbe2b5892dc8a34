/** The names that every template has without declaring them. */
export interface World {
  /** Of the server that is deployed to. */
  readonly region: string
  readonly account: string
  readonly partition: string
  readonly urlSuffix: string
  readonly stackName: string
}

export function worldOf(
  place: { readonly partition: string; readonly region: string; readonly account: string },
  stackName: string,
): World {
  const urlSuffix = place.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'
  return { ...place, urlSuffix, stackName }
}

/** Undefined for a name that is no pseudo parameter; AWS::NoValue, which is no value, is not among them. */
export function pseudoParameter(name: string, world: World): string | readonly string[] | undefined {
  switch (name) {
    case 'AWS::Region':
      return world.region
    case 'AWS::AccountId':
      return world.account
    case 'AWS::Partition':
      return world.partition
    case 'AWS::URLSuffix':
      return world.urlSuffix
    case 'AWS::StackName':
      return world.stackName
    case 'AWS::StackId':
      return `arn:${world.partition}:cloudformation:${world.region}:${world.account}:stack/${world.stackName}/perdure`
    case 'AWS::NotificationARNs':
      return []
    default:
      return undefined
  }
}

export const PSEUDO_PARAMETERS = [
  'AWS::AccountId',
  'AWS::NoValue',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
] as const
