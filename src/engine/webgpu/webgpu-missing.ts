import { createRequire } from "node:module";

const PACKAGES = ["webgpu", "@tensorflow/tfjs-backend-webgpu"] as const;

/** Why the optional packages of the `webgpu` engine are not here, or undefined when they are; loads nothing. */
export function webgpuMissing(from: string = import.meta.url): string | undefined {
  const require = createRequire(from);
  const missing = PACKAGES.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return undefined;
  return `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not installed (npm install ${missing.join(" ")})`;
}
