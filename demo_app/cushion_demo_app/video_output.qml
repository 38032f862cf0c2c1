// The picture of gpu_picture.py: as large as its widget, which has the picture's own shape.
import QtQuick
import QtMultimedia

VideoOutput { fillMode: VideoOutput.Stretch }
