import { openSource } from "../session.ts";
import { Choose } from "./choose.tsx";

/** Invites to drop an image. The whole page accepts drops. */
export function DropZone() {
  return (
    <section class="drop-zone" aria-label="Open an image">
      <div>
        <p class="invitation">Drop a container image here</p>
        <p>
          An OCI layout directory, an <code>oci-archive</code> or a <code>docker-archive</code>, which may
          be compressed. It never leaves this page: the browser is told to refuse every connection.
        </p>
      </div>
      <Choose what="Open" onChoose={openSource} />
    </section>
  );
}
