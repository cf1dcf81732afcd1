package fuselage.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.hardware.Sensor;
import android.hardware.SensorManager;
import android.os.Handler;
import android.os.Looper;
import android.util.DisplayMetrics;
import android.view.View;
import android.widget.Button;
import android.widget.TextView;
import fuselage.demo.core.Channel;
import fuselage.demo.core.GoldenVectors;
import fuselage.demo.core.ModelCard;
import fuselage.demo.core.SensorKind;
import java.io.File;
import java.io.FileOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.shadows.SensorEventBuilder;
import org.robolectric.shadows.ShadowSensor;
import org.robolectric.shadows.ShadowSensorManager;
import org.tensorflow.lite.Interpreter;

/** The activity on simulated Android 15, with the real model; pictures go to build/screenshots. */
@RunWith(AppRunner.class)
@Config(qualifiers = "w400dp-h860dp-port-xhdpi")
public final class MainActivityTest {
    private static final long PERIOD_NS = 50_000_000; // the sensors' 20 Hz

    private final ActivityController<MainActivity> controller = Robolectric.buildActivity(MainActivity.class);
    private ShadowSensorManager sensors;
    private ModelCard card;
    private List<GoldenVectors.Recording> recordings;
    private long nowNs = 1_000_000_000L;

    @Before
    public void read() throws Exception {
        card = TestAssets.card();
        recordings = TestAssets.recordings();
        sensors = Shadows.shadowOf(
                (SensorManager) RuntimeEnvironment.getApplication().getSystemService(Context.SENSOR_SERVICE));
    }

    @After
    public void endTheEngine() {
        engine().close();
    }

    @Test
    public void withoutSensorsItShowsRecordings() throws Exception {
        controller.setup();
        settle();
        GoldenVectors.Recording first = recordings.get(0);
        assertEquals(first.answer, text(R.id.activity));
        assertTrue(text(R.id.source), text(R.id.source).startsWith("Recorded: " + first.label));
        assertTrue(text(R.id.source), text(R.id.source).contains("lacks: linear acceleration, gyroscope."));
        assertFalse(button().isEnabled());
        assertTrue(text(R.id.check), text(R.id.check).startsWith("Self-check passed: 8 of 8"));
        assertTrue(text(R.id.measured), text(R.id.measured).matches("Model: \\d+\\.\\d\\d ms .*int8, .* kB"));
        picture("recording");
        for (int i = 1; i < recordings.size(); i++) {
            pass(Engine.RECORDING_SHOWN_MS);
            assertEquals(recordings.get(i).answer, text(R.id.activity));
        }
    }

    @Test
    public void aSensorThatIsMissingIsNamed() {
        addSensor(Sensor.TYPE_LINEAR_ACCELERATION);
        controller.setup();
        settle();
        assertTrue(text(R.id.source), text(R.id.source).endsWith("This phone lacks: gyroscope. So recordings are shown."));
        assertTrue(sensors.getListeners().isEmpty());
    }

    @Test
    public void liveSensorsFillTheWindowAndGetAnAnswer() throws Exception {
        addSensors();
        controller.setup();
        settle();
        assertTrue(text(R.id.source), text(R.id.source).startsWith("Live: linear acceleration, gyroscope, 10 steps"));
        feed(running().window, 0, 50);
        assertEquals("…", text(R.id.activity));
        assertTrue(text(R.id.confidence), text(R.id.confidence).matches("The window fills: 4\\.\\d of 10 s"));
        feed(running().window, 50, 100);
        feed(running().window, 0, 10); // some more, so that an answer is due
        assertEquals("running", text(R.id.activity));
        assertTrue(button().isEnabled());
        picture("live");
    }

    @Test
    public void aPauseOfTheSensorsBeginsANewWindow() {
        addSensors();
        controller.setup();
        settle();
        feed(running().window, 0, 100);
        feed(running().window, 0, 10);
        assertEquals("running", text(R.id.activity));
        nowNs += 2_000_000_000L;
        feed(running().window, 0, 1);
        assertEquals("…", text(R.id.activity));
    }

    @Test
    public void anotherAppInFrontFreesTheSensors() {
        addSensors();
        controller.setup();
        settle();
        assertEquals(1, sensors.getListeners().size());
        controller.pause();
        settle();
        assertEquals(1, sensors.getListeners().size()); // still visible, beside another app perhaps
        controller.stop();
        settle();
        assertTrue(sensors.getListeners().isEmpty());
        controller.start().resume();
        settle();
        assertEquals(1, sensors.getListeners().size());
        assertEquals("…", text(R.id.activity)); // of the window before nothing is left
    }

    @Test
    public void turningTheScreenKeepsTheWindow() throws Exception {
        addSensors();
        controller.setup();
        settle();
        feed(running().window, 0, 100);
        feed(running().window, 0, 10);
        Engine before = engine();
        RuntimeEnvironment.setQualifiers("w860dp-h400dp-land-xhdpi");
        controller.configurationChange(RuntimeEnvironment.getApplication().getResources().getConfiguration());
        assertSame(before, engine());
        Shadows.shadowOf(Looper.getMainLooper()).idle();
        assertEquals("running", text(R.id.activity)); // at once, without a step
        settle();
        assertEquals(1, sensors.getListeners().size());
        feed(running().window, 10, 20);
        assertEquals("running", text(R.id.activity));
        picture("turned");
    }

    @Test
    public void thePersonMayChooseARecording() {
        addSensors();
        controller.setup();
        settle();
        button().performClick();
        settle();
        assertTrue(text(R.id.source), text(R.id.source).startsWith("Recorded: "));
        assertTrue(sensors.getListeners().isEmpty());
        assertEquals("Use the sensors", button().getText().toString());
        controller.recreate(); // the choice outlives the activity
        settle();
        assertTrue(text(R.id.source), text(R.id.source).startsWith("Recorded: "));
        button().performClick();
        settle();
        assertTrue(text(R.id.source), text(R.id.source).startsWith("Live: "));
        assertEquals(1, sensors.getListeners().size());
    }

    @Test
    public void theAttentionIsSaid() {
        controller.setup();
        settle();
        CharSequence said = controller.get().findViewById(R.id.signal).getContentDescription();
        assertNotNull(said);
        assertTrue(said.toString(), said.toString().matches("Largest weight 0\\.\\d+, \\d\\.\\d s before the end"));
    }

    @Test
    @Config(qualifiers = "w400dp-h860dp-port-night-xhdpi")
    public void darkAtNight() throws Exception {
        controller.setup();
        settle();
        Bitmap dark = picture("night");
        assertTrue(android.graphics.Color.luminance(dark.getPixel(2, 2)) < 0.1f);
    }

    @Test
    public void aDeviceThatCannotLoadTheLibraryIsToldSo() throws Exception {
        Interpreter.unlinked = true;
        try {
            controller.setup();
            settle();
        } finally {
            Interpreter.unlinked = false;
        }
        assertEquals("No model", text(R.id.activity));
        assertTrue(text(R.id.confidence), text(R.id.confidence).startsWith("TensorFlow Lite cannot be loaded"));
        assertFalse(button().isEnabled());
        controller.pause().stop(); // nothing that was not loaded is let go of
        settle();
        picture("error");
    }

    private GoldenVectors.Recording running() {
        for (GoldenVectors.Recording recording : recordings) {
            if (recording.label.equals("running")) {
                return recording;
            }
        }
        throw new AssertionError("golden.json has no recording of running");
    }

    private void addSensors() {
        addSensor(Sensor.TYPE_LINEAR_ACCELERATION);
        addSensor(Sensor.TYPE_GYROSCOPE);
    }

    private void addSensor(int type) {
        sensors.addSensor(ShadowSensor.newInstance(type));
    }

    /** Some steps of a recording as both sensors would give them: two events a step, of the same values. */
    private void feed(final float[][] window, final int from, final int to) {
        new Handler(engine().looper()).post(() -> {
            for (int step = from; step < to; step++) {
                for (int twice = 0; twice < 2; twice++) {
                    for (SensorKind kind : Arrays.asList(SensorKind.LINEAR_ACCELERATION, SensorKind.GYROSCOPE)) {
                        send(kind, window[step]);
                    }
                    nowNs += PERIOD_NS;
                }
            }
        });
        settle();
    }

    private void send(SensorKind kind, float[] row) {
        int type = kind == SensorKind.GYROSCOPE ? Sensor.TYPE_GYROSCOPE : Sensor.TYPE_LINEAR_ACCELERATION;
        float[] values = new float[3];
        for (int i = 0; i < row.length; i++) {
            Channel channel = card.channels.get(i);
            if (channel.sensor == kind) {
                values[channel.axis] = row[i] / channel.factor;
            }
        }
        sensors.sendSensorEventToListeners(SensorEventBuilder.newBuilder()
                .setSensor(ShadowSensor.newInstance(type)).setTimestamp(nowNs).setValues(values).build());
    }

    private Engine engine() {
        return (Engine) controller.get().onRetainNonConfigurationInstance();
    }

    /** Lets the worker and then the main thread do what is due. */
    private void settle() {
        Shadows.shadowOf(engine().looper()).idle();
        Shadows.shadowOf(Looper.getMainLooper()).idle();
    }

    private void pass(long milliseconds) {
        Shadows.shadowOf(engine().looper()).idleFor(Duration.ofMillis(milliseconds));
        Shadows.shadowOf(Looper.getMainLooper()).idle();
    }

    private String text(int id) {
        return ((TextView) controller.get().findViewById(id)).getText().toString();
    }

    private Button button() {
        return (Button) controller.get().findViewById(R.id.switch_source);
    }

    private Bitmap picture(String name) throws Exception {
        View root = controller.get().getWindow().getDecorView();
        DisplayMetrics screen = root.getResources().getDisplayMetrics();
        root.measure(View.MeasureSpec.makeMeasureSpec(screen.widthPixels, View.MeasureSpec.EXACTLY),
                View.MeasureSpec.makeMeasureSpec(screen.heightPixels, View.MeasureSpec.EXACTLY));
        root.layout(0, 0, screen.widthPixels, screen.heightPixels);
        Bitmap picture = Bitmap.createBitmap(root.getWidth(), root.getHeight(), Bitmap.Config.ARGB_8888);
        root.draw(new Canvas(picture));
        File folder = new File("build/screenshots");
        assertTrue(folder.isDirectory() || folder.mkdirs());
        try (FileOutputStream file = new FileOutputStream(new File(folder, name + ".png"))) {
            assertTrue(picture.compress(Bitmap.CompressFormat.PNG, 100, file));
        }
        return picture;
    }
}
