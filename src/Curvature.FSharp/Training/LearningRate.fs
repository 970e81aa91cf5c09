namespace Curvature.FSharp

open System
open Curvature

/// Schedules of the learning rate: functions from the number of a step, from 0, to the factor by which it multiplies
/// the rate of the method, as in `Optimizer.adam 0.001 |> Optimizer.scheduled (LearningRate.cosine 1000 0.0)`. Any
/// function of the step is one. Errors are raised when a schedule is made.
[<RequireQualifiedAccess>]
module LearningRate =

    let private checkFactor name (factor: float) =
        if not (factor >= 0.0 && factor < infinity) then
            Fail.range $"{name}: a factor of at least 0 is needed, and it is {factor}"

    let private checkSteps name least (steps: int) =
        if steps < least then
            Fail.range $"{name}: a count of steps of at least {least} is needed, and it is {steps}"

    /// The same factor in every step. Raises ArgumentRangeException for a factor that is negative or not finite.
    let constant (factor: float) : int -> float =
        checkFactor "LearningRate.constant" factor
        fun _ -> factor

    /// The rate times a factor after each so many steps, factor^⌊step / every⌋, as torch.optim.lr_scheduler.StepLR.
    /// Raises ArgumentRangeException for fewer than 1 step, or a factor that is negative or not finite.
    let stepwise (every: int) (factor: float) : int -> float =
        checkSteps "LearningRate.stepwise" 1 every
        checkFactor "LearningRate.stepwise" factor
        fun step -> factor ** float (step / every)

    /// The rate times a factor after each step, factor^step, as torch.optim.lr_scheduler.ExponentialLR. Raises
    /// ArgumentRangeException for a factor that is negative or not finite.
    let exponential (factor: float) : int -> float =
        checkFactor "LearningRate.exponential" factor
        fun step -> factor ** float step

    /// From 1 down to `least` along half a wave of the cosine in so many steps, and `least` from there on: least + (1 −
    /// least)·(1 + cos(π·step/steps))/2 (Loshchilov & Hutter 2017, eq. 5), as
    /// torch.optim.lr_scheduler.CosineAnnealingLR up to its end. Raises ArgumentRangeException for fewer than 1 step,
    /// or a least factor that is negative or not finite.
    let cosine (steps: int) (least: float) : int -> float =
        checkSteps "LearningRate.cosine" 1 steps
        checkFactor "LearningRate.cosine" least

        fun step ->
            let share = float (min step steps) / float steps
            least + (1.0 - least) * 0.5 * (1.0 + Math.Cos(Math.PI * share))

    /// One schedule for so many steps, and then another from its step 0 on, as torch.optim.lr_scheduler.SequentialLR.
    /// Raises ArgumentRangeException for a negative count.
    let sequence (first: int -> float) (steps: int) (following: int -> float) : int -> float =
        checkSteps "LearningRate.sequence" 0 steps
        fun step -> if step < steps then first step else following (step - steps)

    /// From 1/steps up to 1 in equal steps, and then another schedule from its step 0 on: `warmUp 100 (cosine 900
    /// 0.0)`.
    /// Raises ArgumentRangeException for a negative count.
    let warmUp (steps: int) (following: int -> float) : int -> float =
        checkSteps "LearningRate.warmUp" 0 steps
        sequence (fun step -> float (step + 1) / float steps) steps following

    /// The product of two schedules in each step.
    let product (first: int -> float) (second: int -> float) : int -> float = fun step -> first step * second step
