/** The code that a request brings: where it may be, how large it may be, and that it can be unpacked (spec 02 §2.6). */
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import { checkZip, DEPLOYMENT_LIMITS } from './zip.ts'

interface GivenCode {
  readonly ZipFile?: Uint8Array
  readonly S3Bucket?: string
  readonly S3Key?: string
  readonly S3ObjectVersion?: string
  readonly ImageUri?: string
}

/** The package, or an `ApiError` that says why there is none. */
export async function requirePackage({ ZipFile, S3Bucket, S3Key, ImageUri }: GivenCode): Promise<Uint8Array> {
  if (ImageUri !== undefined) {
    throw invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
  }
  if (S3Bucket !== undefined || S3Key !== undefined) {
    throw invalidParameter('This server reads no buckets: upload the deployment package as ZipFile.')
  }
  if (ZipFile === undefined) throw invalidParameter('Please provide a source for function code.')
  if (ZipFile.length > DEPLOYMENT_LIMITS.zippedBytes) {
    throw new ApiError(
      'RequestEntityTooLargeException',
      `Zipped size must be smaller than ${DEPLOYMENT_LIMITS.zippedBytes} bytes`,
    )
  }
  await checkZip(ZipFile)
  return ZipFile
}
