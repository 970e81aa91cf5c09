namespace Curvature.Cuda;

/// <summary>The answers of the driver that ask for an answer of their own.</summary>
internal static class CudaResult
{
    public const int Success = 0;
    public const int OutOfMemory = 2;
    public const int NoDevice = 100;

    /// <summary>Errors after which the driver refuses all else in this process.</summary>
    public static bool IsLost(int code) => code is 4 or 214 or 700 or 702 or (>= 714 and <= 719) or 999;

    /// <summary>What somebody who meets an error can do.</summary>
    public static string Advice(int code) => code switch
    {
        OutOfMemory => "Take fewer samples at once, dispose of arrays that are not needed, or close other programs on "
            + "the card.",
        3 or 4 => "The driver is shutting down: open the device in a process that is not ending.",
        NoDevice => "No card is there for this process: see nvidia-smi and CUDA_VISIBLE_DEVICES.",
        101 => "There are fewer cards: see nvidia-smi and CUDA_VISIBLE_DEVICES.",
        200 or 218 => "The driver does not understand the kernel: this is a fault of the library, please report it.",
        209 or 222 => "The driver is too old for the kernels: install version 450 or newer.",
        214 => "The card's memory has a fault that cannot be corrected: reset the card, or replace it.",
        300 or 301 or 500 => "The driver lacks what the library asks for: install version 450 or newer.",
        700 or 716 or 717 or 718 => "A kernel touched what it must not: the card is lost to this process. Start a new "
            + "one, and report the work that did this.",
        701 => "The card has too few registers or too little shared memory: it is older than the library supports.",
        702 => "A kernel ran too long for a card that also drives a display: the card is lost to this process.",
        714 or 715 or 719 => "A kernel failed: the card is lost to this process. Start a new one.",
        801 => "The card or its driver does not support this.",
        803 or 804 => "The driver and the system do not fit together: install the driver again, or restart.",
        999 => "The driver knows no more: see the system's log, and start a new process.",
        _ => "See the driver's documentation for this error.",
    };
}
