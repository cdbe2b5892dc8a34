/** The code that a request brings: where it may be, how large it may be, and that it can be unpacked (spec 02 §2.6). */
import { createHash } from 'node:crypto'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import type { CodeReference } from './record.ts'
import { checkZip, DEPLOYMENT_LIMITS } from './zip.ts'

interface GivenCode {
  readonly ZipFile?: Uint8Array
  readonly S3Bucket?: string
  readonly S3Key?: string
  readonly S3ObjectVersion?: string
  readonly ImageUri?: string
}

/** A package that was looked into. */
export interface Package {
  readonly code: CodeReference
  readonly bytes: Uint8Array
}

/** The package, or an `ApiError` that says why there is none. */
export async function requirePackage(
  { ZipFile, S3Bucket, S3Key, ImageUri }: GivenCode,
  /** What it is the code of, for the error that there is none. */
  of: 'function code' | 'layer content' = 'function code',
): Promise<Package> {
  if (ImageUri !== undefined) {
    throw invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
  }
  if (S3Bucket !== undefined || S3Key !== undefined) {
    throw invalidParameter('This server reads no buckets: upload the deployment package as ZipFile.')
  }
  if (ZipFile === undefined) throw invalidParameter(`Please provide a source for ${of}.`)
  if (ZipFile.length > DEPLOYMENT_LIMITS.zippedBytes) {
    throw new ApiError(
      'RequestEntityTooLargeException',
      `Zipped size must be smaller than ${DEPLOYMENT_LIMITS.zippedBytes} bytes`,
    )
  }
  const unzippedBytes = await checkZip(ZipFile)
  return { code: { sha256: hashOf(ZipFile), bytes: ZipFile.length, unzippedBytes }, bytes: ZipFile }
}

/** Spec 09 §9.10: the hash of a package as it was uploaded, in base64. */
export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')
