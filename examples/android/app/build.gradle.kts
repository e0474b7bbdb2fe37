plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "org.bantam.digits"
    compileSdk = 34
    ndkVersion = "26.3.11579264"

    defaultConfig {
        applicationId = "org.bantam.digits"
        minSdk = 24
        targetSdk = 34
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
        externalNativeBuild { cmake { arguments += "-DANDROID_STL=c++_static" } }
    }

    externalNativeBuild {
        cmake {
            path = file("src/main/cpp/CMakeLists.txt")
            version = "3.31.6" // 3.24 or newer
        }
    }

    // Stored as they are, so that the package's own pages serve as the plan and as the picture.
    androidResources { noCompress += listOf("bantam", "pgm") }

    buildTypes { release { isMinifyEnabled = false } }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    kotlinOptions { jvmTarget = "17" }
}

// The plan is made on the workstation, see README.md; the picture stands with the other digits.
val copyPicture by tasks.registering(Copy::class) {
    from("../../digits/one.pgm")
    into("src/main/assets")
}
val requirePlan by tasks.registering {
    val plan = file("src/main/assets/digits.bantam")
    doLast { check(plan.exists()) { "$plan is missing: README.md says how to make it" } }
}
tasks.named("preBuild") { dependsOn(copyPicture, requirePlan) }
