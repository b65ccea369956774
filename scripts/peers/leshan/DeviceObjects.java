import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.object.LwM2mTestObject;
import org.eclipse.leshan.client.resource.BaseInstanceEnablerFactory;
import org.eclipse.leshan.client.resource.ObjectEnabler;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.resource.SimpleInstanceEnabler;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel.Operations;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;

/**
 * The objects of the device: Device, Connectivity Monitoring and Statistics, Location, Portfolio, Temperature and the test
 * object of the registry. They have values and print each operation of the server.
 */
final class DeviceObjects {
    private static final int CONNECTIVITY = 4;
    private static final int LOCATION = 6;
    private static final int STATISTICS = 7;
    private static final int PORTFOLIO = 16;
    private static final int BINARY_DATA = 19;
    private static final int EVENT_LOG = 20;
    private static final int TEMPERATURE = 3303;
    private static final int TEST_OBJECT = 3442;
    /** Host device id, manufacturer, model and software version: the identities of a Portfolio. */
    private static final Map<Integer, String> IDENTITIES = Map.of(0, "Host Device ID #1", 1, "Host Device Manufacturer #1",
            2, "Host Device Model #1", 3, "Host Device Software Version #1");
    static final ScheduledExecutorService LATER = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "later");
        thread.setDaemon(true);
        return thread;
    });

    private DeviceObjects() {
    }

    static List<ObjectModel> models() {
        return List.of(portfolioModel(), binaryDataModel(), eventLogModel(), temperatureModel(), testObjectModel());
    }

    static void instantiate(ObjectsInitializer objects, BindingMode binding) {
        furnish(objects, 3, id -> new Device(binding));
        furnish(objects, CONNECTIVITY, id -> new Talker(CONNECTIVITY, id, 0, 41L, 1, Map.of(0, 41L, 1, 21L), 2, -60L, 3, 80L,
                4, Map.of(0, "192.0.2.7"), 5, Map.of(0, "192.0.2.1"), 6, 5L, 7, Map.of(0, "internet"), 8, 12L, 9, 2L, 10,
                262L));
        furnish(objects, LOCATION, id -> new Talker(LOCATION, id, 0, 52.5, 1, 13.4, 2, 34.0, 3, 5.0, 5, new Date(), 6, 0.0));
        furnish(objects, STATISTICS, id -> new Statistics());
        furnish(objects, PORTFOLIO, id -> new Talker(PORTFOLIO, id, 0, IDENTITIES));
        furnish(objects, BINARY_DATA, id -> new Talker(BINARY_DATA, id, 0, Map.of(0, new byte[] { 1, 2, 3 }), 1, 1L, 3,
                "demo"));
        furnish(objects, EVENT_LOG, id -> new EventLog());
        furnish(objects, TEMPERATURE, id -> new Sensor(id, id == 0 ? 21.5 : 20.0));
        objects.setInstancesForObject(TEST_OBJECT, new LwM2mTestObject());
    }

    /** Has one instance at the start; a server may create others. */
    private static void furnish(ObjectsInitializer objects, int objectId, IntFunction<Talker> instance) {
        objects.setInstancesForObject(objectId, instance.apply(0));
        objects.setFactoryForObject(objectId, (model, id, ids) -> of(model,
                instance.apply(id == null ? BaseInstanceEnablerFactory.generateNewInstanceId(ids) : id)));
    }

    private static Talker of(ObjectModel model, Talker instance) {
        instance.setModel(model);
        return instance;
    }

    /** Changes the number at this path and notifies the observers. */
    static void measure(LeshanClient client, LwM2mPath path, double value) {
        ObjectEnabler enabler = (ObjectEnabler) client.getObjectTree().getObjectEnabler(path.getObjectId());
        if (!(enabler.getInstance(path.getObjectInstanceId()) instanceof Talker talker)) {
            throw new IllegalArgumentException("nothing to measure at " + path);
        }
        talker.measure(path.getResourceId(), value);
        LeshanDevice.say("SET " + path + " " + value);
    }

    private static ResourceModel resource(int id, String name, Operations operations, boolean multiple, Type type) {
        return new ResourceModel(id, name, operations, multiple, false, type, "", "", "");
    }

    private static ObjectModel portfolioModel() {
        return new ObjectModel(PORTFOLIO, "Portfolio", "", "1.0", true, false,
                resource(0, "Identity", Operations.RW, true, Type.STRING),
                resource(1, "GetAuthData", Operations.E, false, Type.NONE),
                resource(2, "AuthData", Operations.R, true, Type.OPAQUE),
                resource(3, "AuthStatus", Operations.R, false, Type.INTEGER));
    }

    private static ObjectModel binaryDataModel() {
        return new ObjectModel(BINARY_DATA, "BinaryAppDataContainer", "", "1.0", true, false,
                resource(0, "Data", Operations.RW, true, Type.OPAQUE),
                resource(1, "Data Priority", Operations.RW, false, Type.INTEGER),
                resource(3, "Data Description", Operations.RW, false, Type.STRING));
    }

    private static ObjectModel eventLogModel() {
        return new ObjectModel(EVENT_LOG, "Event Log", "", "1.0", false, false,
                resource(4010, "LogClass", Operations.RW, false, Type.INTEGER),
                resource(4011, "LogStart", Operations.E, false, Type.NONE),
                resource(4012, "LogStop", Operations.E, false, Type.NONE),
                resource(4013, "LogStatus", Operations.R, false, Type.INTEGER),
                resource(4014, "LogData", Operations.R, false, Type.OPAQUE),
                resource(4015, "LogDataFormat", Operations.RW, false, Type.INTEGER));
    }

    private static ObjectModel temperatureModel() {
        return new ObjectModel(TEMPERATURE, "Temperature", "", "1.1", true, false,
                resource(5700, "Sensor Value", Operations.R, false, Type.FLOAT),
                resource(5601, "Min Measured Value", Operations.R, false, Type.FLOAT),
                resource(5602, "Max Measured Value", Operations.R, false, Type.FLOAT),
                resource(5603, "Min Range Value", Operations.R, false, Type.FLOAT),
                resource(5604, "Max Range Value", Operations.R, false, Type.FLOAT),
                resource(5605, "Reset Min and Max Measured Values", Operations.E, false, Type.NONE),
                resource(5701, "Sensor Units", Operations.R, false, Type.STRING),
                resource(5750, "Application Type", Operations.RW, false, Type.STRING));
    }

    /** Object 3442 of the registry: a resource of every data type, once single and once multiple. */
    private static ObjectModel testObjectModel() {
        Map<Integer, Type> types = Map.of(110, Type.STRING, 120, Type.INTEGER, 125, Type.UNSIGNED_INTEGER, 130,
                Type.FLOAT, 140, Type.BOOLEAN, 150, Type.OPAQUE, 160, Type.TIME, 170, Type.OBJLNK, 180, Type.CORELINK);
        List<ResourceModel> resources = new ArrayList<>(List.of(
                resource(0, "Reset values", Operations.E, false, Type.NONE),
                resource(1, "Randomize values", Operations.E, false, Type.NONE),
                resource(2, "Clear values", Operations.E, false, Type.NONE),
                resource(3, "Exec With Arguments", Operations.E, false, Type.NONE),
                resource(4, "Arguments List", Operations.R, true, Type.STRING)));
        types.forEach((id, type) -> {
            resources.add(resource(id, type + " Value", Operations.RW, false, type));
            resources.add(resource(1000 + id, "Multiple " + type + " Value", Operations.RW, true, type));
        });
        return new ObjectModel(TEST_OBJECT, "LwM2M v1.1 Test Object", "", "1.0", true, false, resources);
    }

    /** A SimpleInstanceEnabler that prints each operation of the server. */
    private static class Talker extends SimpleInstanceEnabler {
        private final int objectId;

        Talker(int objectId, int instanceId, Object... values) {
            super(instanceId, values);
            this.objectId = objectId;
        }

        /** Keeps the type of an integer value. */
        void measure(int resourceId, double value) {
            boolean whole = resources.get(resourceId).getType() == Type.INTEGER;
            resources.put(resourceId, whole ? LwM2mSingleResource.newIntegerResource(resourceId, (long) value)
                    : LwM2mSingleResource.newFloatResource(resourceId, value));
            fireResourceChange(resourceId);
        }

        private String path(int resourceId) {
            return "/" + objectId + "/" + getId() + "/" + resourceId;
        }

        @Override
        public ReadResponse read(LwM2mServer server, int resourceId) {
            if (!server.isSystem()) {
                LeshanDevice.say("READ " + path(resourceId));
            }
            return super.read(server, resourceId);
        }

        @Override
        public ObserveResponse observe(LwM2mServer server, int resourceId) {
            LeshanDevice.say("OBSERVE " + path(resourceId));
            return super.observe(server, resourceId);
        }

        @Override
        public WriteResponse write(LwM2mServer server, boolean replace, int resourceId, LwM2mResource value) {
            LeshanDevice.say("WRITE " + path(resourceId) + " " + (value.isMultiInstances() ? value.getInstances() : value.getValue()));
            return super.write(server, replace, resourceId, value);
        }

        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            String given = arguments.isEmpty() ? "" : " " + arguments.serialize();
            LeshanDevice.say("EXECUTE " + path(resourceId) + given);
            return ExecuteResponse.success();
        }
    }

    private static final class Device extends Talker {
        private static final int REBOOT = 4;
        private static final int FACTORY_RESET = 5;

        Device(BindingMode binding) {
            super(3, 0, 0, "Eclipse", 1, "Leshan", 2, "LE-700-000", 3, "2.0.0", 9, 87L, 10, 15_000L, 11,
                    Map.of(0, 0L), 13, new Date(), 14, "+01:00", 15, "Europe/Berlin", 16, binding.name(), 17, "demo", 18, "1.0",
                    19, "2.0.0-M18", 20, 0L, 21, 64_000L);
        }

        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            ExecuteResponse response = super.execute(server, resourceId, arguments);
            if (resourceId == REBOOT || resourceId == FACTORY_RESET) {
                LeshanClient client = (LeshanClient) getLwM2mClient();
                LATER.schedule(() -> {
                    client.stop(false);
                    LeshanDevice.say("REBOOTED");
                    client.start();
                }, 300, TimeUnit.MILLISECONDS);
            }
            return response;
        }
    }

    private static final class Statistics extends Talker {
        private static final int START = 6;
        private static final int STOP = 7;

        private boolean collecting;

        Statistics() {
            super(STATISTICS, 0, 0, 0L, 1, 0L, 2, 0L, 3, 0L, 4, 0L, 5, 0L, 8, 0L);
        }

        /** The counters start at zero when the collection starts, and do not change after it stops. */
        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            ExecuteResponse response = super.execute(server, resourceId, arguments);
            collecting = resourceId == START || collecting && resourceId != STOP;
            if (resourceId == START) {
                List.of(0, 1, 2, 3, 4, 5).forEach(counter -> super.measure(counter, 0));
            }
            return response;
        }

        @Override
        void measure(int resourceId, double value) {
            if (collecting) {
                super.measure(resourceId, value);
            }
        }
    }

    private static final class EventLog extends Talker {
        private static final int START = 4011;
        private static final int STOP = 4012;
        private static final int STATUS = 4013;
        private static final int DATA = 4014;
        private static final int RUNNING = 1;

        EventLog() {
            super(EVENT_LOG, 0, 4010, 0L, STATUS, 0L, DATA, new byte[0], 4015, 0L);
        }

        /** The log has one line for each start of the collection. */
        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            ExecuteResponse response = super.execute(server, resourceId, arguments);
            if (resourceId == START) {
                resources.put(DATA, LwM2mSingleResource.newBinaryResource(DATA, "started".getBytes()));
            }
            if (resourceId == START || resourceId == STOP) {
                super.measure(STATUS, resourceId == START ? RUNNING : 0);
            }
            return response;
        }
    }

    private static final class Sensor extends Talker {
        private static final int MIN_MEASURED = 5601;
        private static final int MAX_MEASURED = 5602;
        private static final int RESET_MEASURED = 5605;
        private static final int VALUE = 5700;

        Sensor(int instanceId, double value) {
            super(TEMPERATURE, instanceId, MIN_MEASURED, value, MAX_MEASURED, value, 5603, -40.0, 5604, 85.0, VALUE,
                    value, 5701, "Cel", 5750, "room");
        }

        private double number(int resourceId) {
            return (Double) resources.get(resourceId).getValue();
        }

        @Override
        void measure(int resourceId, double value) {
            super.measure(resourceId, value);
            if (value < number(MIN_MEASURED)) {
                resources.put(MIN_MEASURED, LwM2mSingleResource.newFloatResource(MIN_MEASURED, value));
                fireResourceChange(MIN_MEASURED);
            }
            if (value > number(MAX_MEASURED)) {
                resources.put(MAX_MEASURED, LwM2mSingleResource.newFloatResource(MAX_MEASURED, value));
                fireResourceChange(MAX_MEASURED);
            }
        }

        @Override
        public ExecuteResponse execute(LwM2mServer server, int resourceId, Arguments arguments) {
            ExecuteResponse response = super.execute(server, resourceId, arguments);
            if (resourceId == RESET_MEASURED) {
                double value = number(VALUE);
                resources.put(MIN_MEASURED, LwM2mSingleResource.newFloatResource(MIN_MEASURED, value));
                resources.put(MAX_MEASURED, LwM2mSingleResource.newFloatResource(MAX_MEASURED, value));
            }
            return response;
        }
    }
}
