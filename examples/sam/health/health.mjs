export const handler = async () => ({ healthy: true, stage: process.env.STAGE })
