/**
 * The operations on layers. All are alike: the request becomes typed input, its layer is found to be one of this place,
 * the registry does the rest; where the content of a version lies is added here, for whoever asks knows the server by
 * some name.
 */
import { type Place, parseLayerArn } from '../../protocol/arn.ts'
import { ApiError } from '../../protocol/errors.ts'
import { LAYER_OPERATIONS } from '../../protocol/layer-operations.ts'
import type { InputOf } from '../../protocol/operations.ts'
import type { Route } from '../route.ts'
import { managementRoute } from './management-route.ts'
import { codeLocation } from './perdure-code.ts'

type OnLayers = keyof typeof LAYER_OPERATIONS

const routeOf = <Name extends OnLayers>(name: Name): Route =>
  managementRoute(name, async (input, { headers }, { management, place }) => {
    const answer: Answer | undefined = await management.perform(name, ofThisPlace<Name>(input, place))
    return answer && located(answer, headers.host ?? '')
  })

interface Answer {
  readonly Content?: { readonly CodeSha256: string }
}

function located(answer: Answer, host: string): object {
  const { Content } = answer
  if (Content === undefined) return answer
  return { ...answer, Content: { Location: codeLocation(host, Content.CodeSha256), ...Content } }
}

interface References {
  readonly LayerName?: string
  readonly Arn?: string
}

/** The input with a plain name in place of an ARN; or the error that no layer of this place is meant. */
function ofThisPlace<Name extends OnLayers>(input: InputOf<Name>, place: Place): InputOf<Name> {
  const { LayerName, Arn }: References = input
  const text = LayerName ?? Arn
  const reference = text === undefined ? undefined : parseLayerArn(text)
  if (reference === undefined) return input
  const { partition, region, account, name } = reference
  if (region !== place.region) {
    const message = `Layers from '${region}' are not reachable in this region ('${place.region}')`
    throw new ApiError('ResourceNotFoundException', message)
  }
  if (account !== place.account || partition !== place.partition) {
    throw new ApiError('AccessDeniedException', `Layers of account '${account}' are not reachable here.`)
  }
  return LayerName === undefined ? input : { ...input, LayerName: name }
}

const names = Object.keys(LAYER_OPERATIONS) as OnLayers[]

export const LAYERS: readonly Route[] = names.map((name) => routeOf(name))
