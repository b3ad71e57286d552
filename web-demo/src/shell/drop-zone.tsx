import { connects } from "../remote.ts";
import { openSource } from "../session.ts";
import { Choose } from "./choose.tsx";

/** Invites to open an image. The whole page accepts drops. */
export function DropZone() {
  return (
    <section class="drop-zone" aria-label="Open an image">
      {connects ? <OnServers /> : <InFiles />}
      <Choose what="Open" onChoose={openSource} />
    </section>
  );
}

function InFiles() {
  return (
    <div>
      <p class="invitation">Drop a container image here</p>
      <p>
        An OCI layout directory, an <code>oci-archive</code> or a <code>docker-archive</code>, which may be
        compressed. It never leaves this page: the browser is told to refuse every connection. For an image on
        a registry or a web server, there is <a href="./remote.html">a page that connects to it</a>.
      </p>
    </div>
  );
}

function OnServers() {
  return (
    <div>
      <p class="invitation">Open an image on a registry or a web server</p>
      <p>
        Enter its reference, <code>docker://…</code>, or the <code>https://</code> address of an archive, or
        of a layout if it ends with <code>/</code>. This page asks that server for the image on the screen,
        with all its layers, and the servers that it names for tokens and blobs. They learn your network
        address, the host of this page, and which image you open. No passwords are sent, and no cookies to
        other sites. The server has to allow pages to read it (CORS).
      </p>
      <p>
        Files can be opened here, too, and are not sent anywhere. For files there is{" "}
        <a href="./">the page without connections</a>, where the browser ensures that.
      </p>
    </div>
  );
}
