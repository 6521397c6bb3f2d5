// A shop with an HTTP API. Begin to read at shop/app.ts, and at the models in shop/models/.
import { main } from './shop/main.ts';

const { MONGODB_URI: uri, PORT: port } = process.env;
const shop = await main((line) => console.log(line), { uri, port: port === undefined ? undefined : Number(port) });
process.once('SIGINT', () => void shop.close());
process.once('SIGTERM', () => void shop.close());
