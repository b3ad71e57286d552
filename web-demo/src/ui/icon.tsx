/** Line icons on a 16 × 16 grid; always beside text with the same meaning. */
const PATHS = {
  verified: "M3 8.5l3.2 3.2L13 5",
  listed: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 5v3l2 1.5",
  waiting: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  failed: "M8 2L14.5 13.5H1.5zM8 6.5v3M8 11.5h.01",
  info: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 7.5v3.3M8 5.2h.01",
  dir: "M1.8 4a1 1 0 0 1 1-1h3.4l1.5 1.8h5.5a1 1 0 0 1 1 1v6.4a1 1 0 0 1-1 1H2.8a1 1 0 0 1-1-1z",
  file: "M4 1.8h5l3 3v9.4H4zM9 1.8v3h3",
  link: "M6.5 9.5l3-3M7 4.8l1.2-1.2a2.6 2.6 0 0 1 3.7 3.7L10.7 8.6M9 11.2l-1.2 1.2a2.6 2.6 0 0 1-3.7-3.7L5.3 7.4",
  device: "M3 3h10v10H3zM6 6h4v4H6z",
  download: "M8 2v8M4.8 7L8 10.2L11.2 7M2.5 13.5h11",
  copy: "M5.5 5.5h8v8h-8zM3 10.5H2.5v-8h8V3",
  open: "M6 4l4 4l-4 4",
  swap: "M2.5 5.5h10M10 3l2.5 2.5L10 8M13.5 10.5h-10M6 8l-2.5 2.5L6 13",
  sun: "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z",
  auto: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 2.5v11M10 3.2v9.6M12 4.5v7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
