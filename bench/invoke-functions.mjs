/** What the benchmark of invocations runs: as little as a function can do. */
export const handler = async (event) => event
