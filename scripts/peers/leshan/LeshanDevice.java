import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.ObjectEnabler;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coaps.CoapsClientProtocolProvider;

/**
 * A device with the client of Eclipse Leshan. Leshan implements the protocol; this program adds objects and a console:
 * it prints one line on standard output per event, and performs one command per line of standard input.
 */
public final class LeshanDevice {
    private static final String USAGE = """
            LeshanDevice --uri coap://127.0.0.1:5683 --endpoint NAME [options]      (or coaps, coap+tcp, coaps+tcp)
              --lifetime SECONDS       of the registration (300)
              --period SECONDS         between Updates; else shortly before the lifetime ends
              --queue                  registers in queue mode
              --bootstrap              the uri is a bootstrap server's
              --identity TEXT --key HEX                    pre-shared key
              --public-key DER --private-key DER --server-public-key DER      raw public keys (files)
              --certificate DER --private-key DER --server-certificate DER    X.509 (files)
              --cid LENGTH             offers DTLS connection ids, its own of that length
            standard input: update | resume | bootstrap | set /o/i/r NUMBER | send /o/i/r... | create /o/i | delete /o/i | stop
            """;
    private static final int SHORT_SERVER_ID = 123;

    static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = parse(arguments);
        if (options.containsKey("help") || !options.containsKey("uri") || !options.containsKey("endpoint")) {
            System.out.print(USAGE);
            System.exit(options.containsKey("help") ? 0 : 2);
        }
        LeshanClient client = build(options);
        client.addObserver(new Announcer());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> client.destroy(true)));
        client.start();
        say("STARTED " + options.get("endpoint"));
        obey(client);
        System.exit(0);
    }

    private static Map<String, String> parse(String[] arguments) {
        List<String> flags = List.of("help", "queue", "bootstrap");
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            String name = arguments[i].replaceFirst("^--", "");
            options.put(name, flags.contains(name) || i + 1 == arguments.length ? "" : arguments[++i]);
        }
        return options;
    }

    private static LeshanClient build(Map<String, String> options) throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadDefault());
        models.addAll(DeviceObjects.models());
        ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(models));
        BindingMode binding = options.get("uri").contains("+tcp:") ? BindingMode.T : BindingMode.U;
        objects.setInstancesForObject(0, security(options));
        if (options.containsKey("bootstrap")) {
            objects.setClassForObject(1, Server.class);
        } else {
            long lifetime = Long.parseLong(options.getOrDefault("lifetime", "300"));
            objects.setInstancesForObject(1, new DisablingServer(SHORT_SERVER_ID, lifetime, binding));
            objects.setFactoryForObject(1, (model, id, ids) -> new DisablingServer(SHORT_SERVER_ID, lifetime, binding));
        }
        DeviceObjects.instantiate(objects, binding);

        DefaultRegistrationEngineFactory engine = new DefaultRegistrationEngineFactory();
        engine.setQueueMode(options.containsKey("queue"));
        if (options.containsKey("period")) {
            engine.setCommunicationPeriod(1000 * Integer.parseInt(options.get("period")));
        }
        CaliforniumClientEndpointsProvider.Builder endpoints = new CaliforniumClientEndpointsProvider.Builder(
                new CoapClientProtocolProvider(), new CoapsClientProtocolProvider(), new TcpProtocol(Protocol.COAP_TCP),
                new TcpProtocol(Protocol.COAPS_TCP));
        Configuration coap = endpoints.createDefaultConfiguration();
        if (options.containsKey("cid")) {
            coap.set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, Integer.valueOf(options.get("cid")));
        }
        endpoints.setConfiguration(coap);

        LeshanClientBuilder builder = new LeshanClientBuilder(options.get("endpoint"));
        builder.setObjects(objects.createAll());
        builder.setRegistrationEngineFactory(engine);
        builder.setEndpointsProviders(endpoints.build());
        return builder.build();
    }

    private static Security security(Map<String, String> options) throws Exception {
        String uri = options.get("uri");
        boolean bootstrap = options.containsKey("bootstrap");
        if (options.containsKey("identity")) {
            byte[] identity = options.get("identity").getBytes("UTF-8");
            byte[] key = HexFormat.of().parseHex(options.get("key"));
            return bootstrap ? Security.pskBootstrap(uri, identity, key)
                    : Security.psk(uri, SHORT_SERVER_ID, identity, key);
        }
        if (options.containsKey("public-key")) {
            byte[] ours = file(options, "public-key");
            byte[] secret = file(options, "private-key");
            byte[] theirs = file(options, "server-public-key");
            return bootstrap ? Security.rpkBootstrap(uri, ours, secret, theirs)
                    : Security.rpk(uri, SHORT_SERVER_ID, ours, secret, theirs);
        }
        if (options.containsKey("certificate")) {
            byte[] ours = file(options, "certificate");
            byte[] secret = file(options, "private-key");
            byte[] theirs = file(options, "server-certificate");
            return bootstrap ? Security.x509Bootstrap(uri, ours, secret, theirs)
                    : Security.x509(uri, SHORT_SERVER_ID, ours, secret, theirs);
        }
        return bootstrap ? Security.noSecBootstrap(uri) : Security.noSec(uri, SHORT_SERVER_ID);
    }

    private static byte[] file(Map<String, String> options, String name) throws IOException {
        return Files.readAllBytes(Path.of(options.get(name)));
    }

    private static final class Announcer extends LwM2mClientObserverAdapter {
        @Override
        public void onRegistrationSuccess(LwM2mServer server, RegisterRequest request, String registration) {
            say("REGISTERED " + registration);
        }

        @Override
        public void onRegistrationFailure(LwM2mServer server, RegisterRequest request, ResponseCode code, String message,
                Exception cause) {
            say("REGISTRATION FAILED " + code + " " + message);
        }

        @Override
        public void onRegistrationTimeout(LwM2mServer server, RegisterRequest request) {
            say("REGISTRATION TIMED OUT");
        }

        @Override
        public void onUpdateSuccess(LwM2mServer server, UpdateRequest request) {
            say("UPDATED " + request.getRegistrationId());
        }

        @Override
        public void onUpdateFailure(LwM2mServer server, UpdateRequest request, ResponseCode code, String message,
                Exception cause) {
            say("UPDATE FAILED " + code + " " + message);
        }

        @Override
        public void onDeregistrationSuccess(LwM2mServer server, DeregisterRequest request) {
            say("DEREGISTERED " + request.getRegistrationId());
        }

        @Override
        public void onBootstrapSuccess(LwM2mServer server, BootstrapRequest request) {
            say("BOOTSTRAPPED");
        }

        @Override
        public void onBootstrapFailure(LwM2mServer server, BootstrapRequest request, ResponseCode code, String message,
                Exception cause) {
            say("BOOTSTRAP FAILED " + code + " " + message);
        }

        @Override
        public void onUnexpectedError(Throwable error) {
            say("FAILED " + error);
        }
    }

    /** Performs the commands on standard input until it ends or a line is `stop`. */
    private static void obey(LeshanClient client) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.trim().split("\\s+");
            if (words[0].equals("stop")) {
                return;
            }
            try {
                perform(client, words);
            } catch (Exception error) {
                say("REFUSED " + line + ": " + error);
            }
        }
    }

    /** True when the server has muted Send (/1/0/23). */
    private static boolean isMuted(LeshanClient client) {
        ObjectEnabler servers = (ObjectEnabler) client.getObjectTree().getObjectEnabler(1);
        return servers.getInstance(0) instanceof DisablingServer server && server.isMuted();
    }

    private static void perform(LeshanClient client, String[] words) throws Exception {
        switch (words[0]) {
        case "update" -> client.triggerRegistrationUpdate();
        case "resume" -> {
            for (LwM2mServer server : client.getRegisteredServers().values()) {
                client.getEndpoint(server).forceReconnection(server, true);
            }
            say("RESUMING");
        }
        case "bootstrap" -> client.triggerClientInitiatedBootstrap(true);
        case "set" -> DeviceObjects.measure(client, new LwM2mPath(words[1]), Double.parseDouble(words[2]));
        case "send" -> {
            if (isMuted(client)) {
                say("MUTED");
                return;
            }
            List<String> paths = Arrays.asList(words).subList(1, words.length);
            for (LwM2mServer server : client.getRegisteredServers().values()) {
                say("SENT " + client.getSendService().sendData(server, ContentFormat.SENML_CBOR, paths, 5000).getCode());
            }
        }
        case "create" -> {
            LwM2mPath path = new LwM2mPath(words[1]);
            LwM2mObjectInstance instance = new LwM2mObjectInstance(path.getObjectInstanceId(), List.of());
            say("CREATED " + client.getObjectTree().getObjectEnabler(path.getObjectId())
                    .create(LwM2mServer.SYSTEM, new CreateRequest(path.getObjectId(), instance)).getCode());
        }
        case "delete" -> {
            LwM2mPath path = new LwM2mPath(words[1]);
            say("DELETED " + client.getObjectTree().getObjectEnabler(path.getObjectId())
                    .delete(LwM2mServer.SYSTEM, new DeleteRequest(path)).getCode());
        }
        default -> throw new IllegalArgumentException("unknown command");
        }
    }
}
