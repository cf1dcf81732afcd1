package fuselage.demo;

import android.content.Context;
import android.hardware.SensorManager;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import fuselage.demo.core.Answer;
import fuselage.demo.core.GoldenVectors;
import fuselage.demo.core.LatencyMeter;
import fuselage.demo.core.Resampler;
import fuselage.demo.core.SelfCheck;
import fuselage.demo.core.SensorKind;
import fuselage.demo.core.UnusableModelException;
import fuselage.demo.core.WindowBuffer;
import fuselage.demo.core.WindowClassifier;
import java.io.IOException;
import java.util.EnumSet;

/**
 * Sensors or recording, window, model: all on one worker thread. It outlives the activity when the screen
 * is turned, so that a window is not lost.
 */
final class Engine {
    /** Hears of what the engine found, on the main thread. */
    interface Listener {
        void onReading(Reading reading);
    }

    static final long RECORDING_SHOWN_MS = 4000;
    private static final double ANSWERS_A_SECOND = 2;
    private static final int RUNS_OF_MEDIAN = 21;

    private final Context context;
    private final HandlerThread thread = new HandlerThread("model");
    private final Handler worker;
    private final Handler main = new Handler(Looper.getMainLooper());
    private Listener listener; // main thread
    private Reading last; // main thread

    // Of the worker's thread:
    private ModelAssets assets;
    private TfLiteBackend backend;
    private WindowClassifier classifier;
    private SelfCheck check;
    private SensorFeed feed;
    private WindowBuffer buffer;
    private final LatencyMeter latency = new LatencyMeter(RUNS_OF_MEDIAN);
    private boolean running;
    private boolean wantsRecording;
    private boolean refused; // a sensor that is there would not start
    private int stepsUntilAnswer;
    private int recording;

    private final Runnable showNext = new Runnable() {
        @Override
        public void run() {
            showRecording();
        }
    };

    Engine(Context context, final boolean wantsRecording) {
        this.context = context.getApplicationContext();
        thread.start();
        worker = new Handler(thread.getLooper());
        worker.post(new Runnable() {
            @Override
            public void run() {
                Engine.this.wantsRecording = wantsRecording;
                load();
            }
        });
    }

    /** Main thread. The listener hears at once what was last found; null: nobody listens. */
    void setListener(Listener listener) {
        this.listener = listener;
        if (listener != null && last != null) {
            listener.onReading(last);
        }
    }

    /** Begins a new window; while it runs already, as after a turn of the screen, nothing changes. */
    void start() {
        worker.post(new Runnable() {
            @Override
            public void run() {
                if (!running) {
                    running = true;
                    begin();
                }
            }
        });
    }

    /** Lets go of the sensors. */
    void stop() {
        worker.post(new Runnable() {
            @Override
            public void run() {
                running = false;
                end();
            }
        });
    }

    /** Chooses between the sensors and the recorded windows. */
    void setRecording(final boolean wanted) {
        worker.post(new Runnable() {
            @Override
            public void run() {
                wantsRecording = wanted;
                refused = false;
                if (running) {
                    begin();
                }
            }
        });
    }

    /** Frees the model and ends the thread. */
    void close() {
        worker.post(new Runnable() {
            @Override
            public void run() {
                end();
                classifier = null;
                if (backend != null) {
                    backend.close();
                    backend = null;
                }
            }
        });
        thread.quitSafely();
    }

    Looper looper() {
        return thread.getLooper();
    }

    private void load() {
        try {
            assets = new ModelAssets(context.getAssets());
            backend = new TfLiteBackend(assets.model, assets.card);
        } catch (IOException error) {
            tell(Reading.failed(context.getString(R.string.error_assets, error.toString())));
            return;
        } catch (UnusableModelException error) {
            tell(Reading.failed(error.getMessage()));
            return;
        } catch (LinkageError error) { // the native library is not for this device
            tell(Reading.failed(context.getString(R.string.error_native, error.toString())));
            return;
        }
        classifier = new WindowClassifier(assets.card, backend);
        check = SelfCheck.of(classifier, assets.card, assets.golden);
        SensorManager manager = (SensorManager) context.getSystemService(Context.SENSOR_SERVICE);
        feed = new SensorFeed(manager, assets.card.sensors(), assets.card.rateHz, worker);
        buffer = new WindowBuffer(assets.card.steps, assets.card.channels.size());
    }

    private void begin() {
        if (classifier == null) {
            return; // the model could not be loaded, and that was told
        }
        end();
        if (!wantsRecording && feed.missing().isEmpty() && !refused) {
            stepsUntilAnswer = 0;
            tellWindow(null, null);
            refused = !feed.start(new Resampler(assets.card.channels, assets.card.rateHz, new Steps()));
        }
        if (wantsRecording || refused || !feed.missing().isEmpty()) {
            showRecording();
        }
    }

    private void end() {
        worker.removeCallbacks(showNext);
        if (feed != null) {
            feed.stop();
            buffer.clear();
        }
    }

    private void showRecording() {
        GoldenVectors.Recording shown = assets.golden.recordings.get(recording % assets.golden.recordings.size());
        recording++;
        buffer.clear();
        for (float[] row : shown.window) {
            buffer.add(row);
        }
        tellWindow(shown.label, classify());
        worker.postDelayed(showNext, RECORDING_SHOWN_MS);
    }

    private Answer classify() {
        Answer answer = classifier.classify(buffer.window());
        latency.add(answer.nanoseconds);
        return answer;
    }

    private void tellWindow(String recorded, Answer answer) {
        EnumSet<SensorKind> missing = refused ? assets.card.sensors() : feed.missing();
        boolean measured = latency.runs() > 0;
        tell(Reading.of(assets.card, check, assets.model.capacity(), missing, recorded, buffer.window(), answer,
                measured ? latency.medianMs() : 0, latency.runs()));
    }

    private void tell(final Reading reading) {
        main.post(new Runnable() {
            @Override
            public void run() {
                last = reading;
                if (listener != null) {
                    listener.onReading(reading);
                }
            }
        });
    }

    /** Steps at the model's rate, on the worker's thread. */
    private final class Steps implements Resampler.Sink {
        @Override
        public void step(float[] row) {
            buffer.add(row);
            stepsUntilAnswer--;
            if (stepsUntilAnswer <= 0) {
                stepsUntilAnswer = (int) Math.max(1, Math.round(assets.card.rateHz / ANSWERS_A_SECOND));
                tellWindow(null, buffer.isFull() ? classify() : null);
            }
        }

        @Override
        public void gap() {
            buffer.clear();
            stepsUntilAnswer = 0;
            tellWindow(null, null);
        }
    }
}
