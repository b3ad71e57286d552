/** The rows of one query, loaded in pages when they come into view. */
import { signal } from "@preact/signals";
import type { Image, Page, Row, RowQuery } from "ocicle";

export const PAGE = 128;
/** The number of pages kept: about 8,000 rows. */
const KEPT = 64;

export class RowPages {
  /** Components that use rows render again when more arrive. */
  readonly #arrived = signal(0);
  readonly #pages = new Map<number, Row[]>();
  #wanted: readonly [first: number, end: number] = [0, 0];
  #busy = false;
  #closed = false;

  private constructor(
    readonly image: Image,
    readonly query: RowQuery,
    readonly sums: Omit<Page, "rows">,
    first: Row[],
  ) {
    this.#pages.set(0, first);
  }

  static async open(image: Image, query: RowQuery): Promise<RowPages> {
    const { rows, ...sums } = await image.rows(query, 0, PAGE);
    return new RowPages(image, query, sums, rows);
  }

  get total(): number {
    return this.sums.total;
  }

  /** Returns a row if it is loaded. */
  row(index: number): Row | undefined {
    void this.#arrived.value;
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** Requests rows. Only the latest request counts, however fast the user scrolls. */
  want(first: number, end: number): void {
    this.#wanted = [first, end];
    void this.#fetch();
  }

  close(): void {
    this.#closed = true;
  }

  #missing(): number | undefined {
    const [first, end] = this.#wanted;
    for (let page = Math.floor(first / PAGE); page * PAGE < end; page += 1)
      if (!this.#pages.has(page)) return page;
    return undefined;
  }

  async #fetch(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let page = this.#missing(); page !== undefined && !this.#closed; page = this.#missing()) {
        const { rows } = await this.image.rows(this.query, page * PAGE, PAGE);
        this.#keep(page, rows);
        this.#arrived.value += 1;
      }
    } catch {
      // The store or the image was closed, or the query is stale.
      this.#closed = true;
    } finally {
      this.#busy = false;
    }
  }

  #keep(page: number, rows: Row[]): void {
    const oldest = this.#pages.keys().next().value;
    if (this.#pages.size >= KEPT && oldest !== undefined) this.#pages.delete(oldest);
    this.#pages.set(page, rows);
  }
}
