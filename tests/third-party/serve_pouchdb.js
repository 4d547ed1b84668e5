// PouchDB Server in memory, with a database `parcels`: node serve_pouchdb.js NODE_MODULES
const { createRequire } = require("module");
const path = require("path");
const load = createRequire(path.join(path.resolve(process.argv[2]), "main.js"));
const PouchDB = load("pouchdb").plugin(load("pouchdb-adapter-memory"));
const Memory = PouchDB.defaults({ adapter: "memory" });
const app = load("express")();
app.use(load("express-pouchdb")(Memory, { mode: "minimumForPouchDB", inMemoryConfig: true }));
new Memory("parcels").info().then(() => {
  const server = app.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
});
