import { requireOption } from "../core/errors.js";

/** One number for all channels, or one per channel. */
export type ChannelValues = number | readonly number[];

/** `values` as one number per channel. */
export function perChannel(where: string, option: string, values: ChannelValues, channels: number): Float64Array {
  if (typeof values === "number") return new Float64Array(channels).fill(values);
  requireOption(values.length === channels, where, option, `one number or one per channel (${channels})`, values);
  return Float64Array.from(values);
}
