import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import org.eclipse.leshan.client.californium.LeshanClient;
import org.eclipse.leshan.client.californium.LeshanClientBuilder;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.BaseInstanceEnablerFactory;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.resource.SimpleInstanceEnabler;
import org.eclipse.leshan.client.servers.ServerIdentity;
import org.eclipse.leshan.core.ResponseCode;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.model.ResourceModel.Operations;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.DeregisterRequest;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.UpdateRequest;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

/**
 * A device of LwM2M 1.0 with Leshan 1. It has the output and commands of ../leshan/LeshanDevice.java, but shares no code
 * with it, because the libraries differ.
 */
public final class LeshanOneDevice {
    private static final String USAGE = """
            LeshanOneDevice --uri coap://127.0.0.1:5683 --endpoint NAME [options]
              --lifetime SECONDS       of the registration (300)
              --period SECONDS         between Updates; else shortly before the lifetime ends
              --queue                  registers with binding UQ
              --identity TEXT --key HEX    pre-shared key
            standard input: update | set VALUE (of /3303/0/5700) | stop
            """;
    private static final int SHORT_SERVER_ID = 123;
    private static final int TEMPERATURE = 3303;

    private static final ScheduledExecutorService LATER = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "later");
        thread.setDaemon(true);
        return thread;
    });

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = parse(arguments);
        if (options.containsKey("help") || !options.containsKey("uri") || !options.containsKey("endpoint")) {
            System.out.print(USAGE);
            System.exit(options.containsKey("help") ? 0 : 2);
        }
        Sensor sensor = new Sensor(0);
        LeshanClient client = build(options, sensor);
        client.addObserver(new Announcer());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> client.destroy(true)));
        client.start();
        say("STARTED " + options.get("endpoint"));
        obey(client, sensor);
        System.exit(0);
    }

    private static Map<String, String> parse(String[] arguments) {
        List<String> flags = List.of("help", "queue");
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            String name = arguments[i].replaceFirst("^--", "");
            options.put(name, flags.contains(name) || i + 1 == arguments.length ? "" : arguments[++i]);
        }
        return options;
    }

    private static LeshanClient build(Map<String, String> options, Sensor sensor) throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadDefault());
        models.add(temperatureModel());
        ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(models));
        objects.setInstancesForObject(0, security(options));
        BindingMode binding = options.containsKey("queue") ? BindingMode.UQ : BindingMode.U;
        long lifetime = Long.parseLong(options.getOrDefault("lifetime", "300"));
        objects.setInstancesForObject(1, new Server(SHORT_SERVER_ID, lifetime, binding, false));
        objects.setInstancesForObject(3, new Device(binding));
        objects.setFactoryForObject(3, (model, id, ids) -> of(model, new Device(binding)));
        objects.setInstancesForObject(TEMPERATURE, sensor);
        objects.setFactoryForObject(TEMPERATURE, (model, id, ids) -> of(model, new Sensor(
                id == null ? BaseInstanceEnablerFactory.generateNewInstanceId(ids) : id)));

        DefaultRegistrationEngineFactory engine = new DefaultRegistrationEngineFactory();
        if (options.containsKey("period")) {
            engine.setCommunicationPeriod(1000 * Integer.parseInt(options.get("period")));
        }
        LeshanClientBuilder builder = new LeshanClientBuilder(options.get("endpoint"));
        builder.setObjects(objects.createAll());
        builder.setRegistrationEngineFactory(engine);
        builder.setLocalAddress("127.0.0.1", 0);
        // Californium would write its configuration into the working directory.
        builder.setCoapConfig(LeshanClientBuilder.createDefaultNetworkConfig());
        return builder.build();
    }

    private static Talker of(ObjectModel model, Talker instance) {
        instance.setModel(model);
        return instance;
    }

    private static Security security(Map<String, String> options) throws Exception {
        if (!options.containsKey("identity")) {
            return Security.noSec(options.get("uri"), SHORT_SERVER_ID);
        }
        return Security.psk(options.get("uri"), SHORT_SERVER_ID, options.get("identity").getBytes("UTF-8"),
                HexFormat.of().parseHex(options.get("key")));
    }

    private static ObjectModel temperatureModel() {
        return new ObjectModel(TEMPERATURE, "Temperature", "", "1.1", true, false,
                resource(5700, "Sensor Value", Operations.R, Type.FLOAT),
                resource(5601, "Min Measured Value", Operations.R, Type.FLOAT),
                resource(5602, "Max Measured Value", Operations.R, Type.FLOAT),
                resource(5605, "Reset Min and Max Measured Values", Operations.E, Type.OPAQUE),
                resource(5701, "Sensor Units", Operations.R, Type.STRING),
                resource(5750, "Application Type", Operations.RW, Type.STRING));
    }

    private static ResourceModel resource(int id, String name, Operations operations, Type type) {
        return new ResourceModel(id, name, operations, false, false, type, "", "", "");
    }

    private static void obey(LeshanClient client, Sensor sensor) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.trim().split("\\s+");
            switch (words[0]) {
            case "stop" -> {
                return;
            }
            case "update" -> client.triggerRegistrationUpdate();
            case "set" -> sensor.measure(Double.parseDouble(words[words.length - 1]));
            default -> say("REFUSED " + line);
            }
        }
    }

    private static class Talker extends SimpleInstanceEnabler {
        private final int objectId;

        Talker(int objectId, int instanceId, Object... values) {
            super(instanceId, values);
            this.objectId = objectId;
        }

        private String path(int resourceId) {
            return "/" + objectId + "/" + getId() + "/" + resourceId;
        }

        @Override
        public ReadResponse read(ServerIdentity server, int resourceId) {
            if (!server.isSystem()) {
                say("READ " + path(resourceId));
            }
            return super.read(server, resourceId);
        }

        @Override
        public ObserveResponse observe(ServerIdentity server, int resourceId) {
            say("OBSERVE " + path(resourceId));
            return super.observe(server, resourceId);
        }

        @Override
        public WriteResponse write(ServerIdentity server, int resourceId, LwM2mResource value) {
            say("WRITE " + path(resourceId) + " " + (value.isMultiInstances() ? value.getValues() : value.getValue()));
            return super.write(server, resourceId, value);
        }

        @Override
        public ExecuteResponse execute(ServerIdentity server, int resourceId, String arguments) {
            say("EXECUTE " + path(resourceId) + (arguments == null ? "" : " " + arguments));
            return ExecuteResponse.success();
        }
    }

    private static final class Device extends Talker {
        private static final int REBOOT = 4;

        Device(BindingMode binding) {
            super(3, 0, 0, "Eclipse", 1, "Leshan 1", 2, "LE-100-000", 3, "1.5.0", 9, 87L, 10, 15_000L, 11,
                    Map.of(0, 0L), 13, new Date(), 14, "+01:00", 15, "Europe/Berlin", 16, binding.name());
        }

        @Override
        public ExecuteResponse execute(ServerIdentity server, int resourceId, String arguments) {
            ExecuteResponse response = super.execute(server, resourceId, arguments);
            if (resourceId == REBOOT) {
                LeshanClient client = (LeshanClient) getLwM2mClient();
                LATER.schedule(() -> {
                    client.stop(false);
                    say("REBOOTED");
                    client.start();
                }, 300, TimeUnit.MILLISECONDS);
            }
            return response;
        }
    }

    private static final class Sensor extends Talker {
        private static final int VALUE = 5700;

        Sensor(int instanceId) {
            super(TEMPERATURE, instanceId, 5601, 21.5, 5602, 21.5, VALUE, 21.5, 5701, "Cel", 5750, "room");
        }

        void measure(double value) {
            resources.put(VALUE, LwM2mSingleResource.newFloatResource(VALUE, value));
            fireResourcesChange(VALUE);
            say("SET /3303/0/5700 " + value);
        }
    }

    private static final class Announcer extends LwM2mClientObserverAdapter {
        @Override
        public void onRegistrationSuccess(ServerIdentity server, RegisterRequest request, String registration) {
            say("REGISTERED " + registration);
        }

        @Override
        public void onRegistrationFailure(ServerIdentity server, RegisterRequest request, ResponseCode code,
                String message, Exception cause) {
            say("REGISTRATION FAILED " + code + " " + message);
        }

        @Override
        public void onUpdateSuccess(ServerIdentity server, UpdateRequest request) {
            say("UPDATED " + request.getRegistrationId());
        }

        @Override
        public void onDeregistrationSuccess(ServerIdentity server, DeregisterRequest request) {
            say("DEREGISTERED " + request.getRegistrationId());
        }
    }
}
