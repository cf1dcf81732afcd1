package fuselage.demo;

import android.app.Activity;
import android.os.Bundle;
import android.view.View;
import android.widget.Button;
import android.widget.TextView;
import fuselage.demo.core.Answer;
import fuselage.demo.core.SelfCheck;
import fuselage.demo.core.SensorKind;
import java.util.EnumSet;

/** The one screen: what the person is doing, how sure the model is, and where it looked. */
public final class MainActivity extends Activity implements Engine.Listener {
    private static final String RECORDING = "recording";

    private Engine engine;
    private boolean recording;
    private TextView source;
    private TextView activity;
    private TextView confidence;
    private ProbabilityView probabilities;
    private SignalView signal;
    private TextView measured;
    private TextView check;
    private TextView data;
    private Button switchSource;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        source = (TextView) findViewById(R.id.source);
        activity = (TextView) findViewById(R.id.activity);
        confidence = (TextView) findViewById(R.id.confidence);
        probabilities = (ProbabilityView) findViewById(R.id.probabilities);
        signal = (SignalView) findViewById(R.id.signal);
        measured = (TextView) findViewById(R.id.measured);
        check = (TextView) findViewById(R.id.check);
        data = (TextView) findViewById(R.id.data);
        switchSource = (Button) findViewById(R.id.switch_source);
        recording = state != null && state.getBoolean(RECORDING);
        engine = (Engine) getLastNonConfigurationInstance(); // after a turn of the screen
        if (engine == null) {
            engine = new Engine(this, recording);
        }
        engine.setListener(this);
        switchSource.setOnClickListener(new View.OnClickListener() {
            @Override
            public void onClick(View view) {
                recording = !recording;
                engine.setRecording(recording);
            }
        });
    }

    // Visible, not only in front: beside another app the sensors go on.
    @Override
    protected void onStart() {
        super.onStart();
        engine.start();
    }

    @Override
    protected void onStop() {
        super.onStop();
        if (!isChangingConfigurations()) {
            engine.stop();
        }
    }

    @Override
    protected void onDestroy() {
        super.onDestroy();
        engine.setListener(null);
        if (!isChangingConfigurations()) {
            engine.close();
        }
    }

    @Override
    public Object onRetainNonConfigurationInstance() {
        return engine;
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putBoolean(RECORDING, recording);
    }

    @Override
    public void onReading(Reading reading) {
        if (reading.error != null) {
            showError(reading.error);
            return;
        }
        source.setText(sourceText(reading));
        switchSource.setText(reading.isLive() ? R.string.show_recording : R.string.use_sensors);
        switchSource.setEnabled(reading.isLive() || reading.canBeLive());
        signal.show(reading);
        showAnswer(reading);
        measured.setText(measuredText(reading));
        check.setText(checkText(reading));
        String from = reading.card.attribution.isEmpty() ? reading.card.name : reading.card.attribution;
        data.setText(getString(R.string.data, from));
    }

    private void showAnswer(Reading reading) {
        Answer answer = reading.answer;
        if (answer == null) {
            activity.setText(R.string.listening);
            confidence.setText(getString(R.string.filling,
                    reading.window.length / reading.card.rateHz, reading.card.seconds()));
            probabilities.show(reading.card.classNames, null);
            return;
        }
        String name = reading.card.classNames.get(answer.decision.best);
        activity.setText(answer.decision.isSure() ? name : getString(R.string.not_sure));
        confidence.setText(answer.decision.isSure()
                ? getString(R.string.probability, 100 * answer.decision.confidence())
                : getString(R.string.most_likely, name, 100 * answer.decision.confidence()));
        probabilities.show(reading.card.classNames, answer.decision.probabilities);
    }

    private void showError(String error) {
        activity.setText(R.string.no_model);
        confidence.setText(error);
        switchSource.setEnabled(false);
    }

    private String sourceText(Reading reading) {
        if (reading.isLive()) {
            return getString(R.string.live, names(reading.card.sensors()), reading.card.rateHz);
        }
        String shown = getString(R.string.recorded, reading.recorded);
        return reading.missing.isEmpty() ? shown
                : shown + " " + getString(R.string.missing, names(reading.missing));
    }

    private String measuredText(Reading reading) {
        String kind = getString(reading.card.logits.step > 0 ? R.string.int8 : R.string.float32);
        String size = getString(R.string.size, kind, reading.modelBytes / 1000.0);
        return reading.medianOf == 0 ? size
                : getString(R.string.latency, reading.medianMs, reading.medianOf) + " · " + size;
    }

    private String checkText(Reading reading) {
        SelfCheck found = reading.check;
        String steps = found.int8Steps == 0 ? getString(R.string.check_identical)
                : getString(R.string.check_steps, found.int8Steps);
        return getString(found.passed() ? R.string.check_passed : R.string.check_failed,
                found.sameClass, found.windows)
                + " " + (reading.card.logits.step > 0 ? steps
                        : getString(R.string.check_float, found.floatDifference));
    }

    private String names(EnumSet<SensorKind> kinds) {
        StringBuilder text = new StringBuilder();
        for (SensorKind kind : kinds) {
            text.append(text.length() == 0 ? "" : ", ").append(getString(SensorNames.of(kind)));
        }
        return text.toString();
    }
}
