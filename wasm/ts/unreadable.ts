/** The reasons why a page gets no answer of a server. A browser does not tell them apart. */
export const UNREADABLE =
  "the server cannot be reached, or it does not allow this page to read (CORS): it has to send " +
  "Access-Control-Allow-Origin, and to answer OPTIONS with status 200 and " +
  "Access-Control-Allow-Headers: Accept, Authorization, Range";
