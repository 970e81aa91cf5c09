/// A continuous normalizing flow (Grathwohl et al. 2019, "FFJORD"): points of the data move along a learnt vector field
/// until they are normal. The density changes by the divergence of the field on the way, which random vectors estimate.
module Samples.Flow

open System
open Curvature
open Curvature.FSharp

/// The field at a point of the plane and a time: a network of tanh layers.
type Flow =
    {
        Network: Network
        /// Steps of the integrator from time 0, the data, to 1.
        Steps: int
    }

/// A flow whose network has two hidden layers.
let create (hidden: int) (steps: int) : Flow =
    { Network = Network.mlp Layer.tanh [ 3; hidden; hidden; 2 ]; Steps = steps }

let field (flow: Flow) (theta: Tensor) (time: float) (point: Tensor) : Tensor =
    Tensor.concat 0 [ point; Tensor.full point.DType [ 1 ] time ] |> Network.forward flow.Network theta

/// The slope of points and of their log-densities, at one time: the field, and its divergence.
type Slope = float -> Tensor -> Tensor * Tensor

/// The divergence from one sign vector for each point, the same all the way.
let estimated flow theta (key: Key) : Slope =
    fun time points -> Stochastic.fdivergenceAtPoints 1 key (field flow theta time) points

/// The divergence as it is: one derivative along each of the two axes.
let exact flow theta : Slope =
    fun time points ->
        let own = field flow theta time
        vmap own points, vmap (divergence own) points

/// Where points [count; 2] are after time 1, and the integral of the divergence along their ways, [count]: the
/// classical method of Runge and Kutta.
let integrate (steps: int) (slope: Slope) (points: Tensor) : Tensor * Tensor =
    let h = 1.0 / float steps

    let step (x: Tensor, change: Tensor) i =
        let time = float i * h
        let v1, d1 = slope time x
        let v2, d2 = slope (time + 0.5 * h) (x + 0.5 * h * v1)
        let v3, d3 = slope (time + 0.5 * h) (x + 0.5 * h * v2)
        let v4, d4 = slope (time + h) (x + h * v3)
        x + h / 6.0 * (v1 + 2.0 * v2 + 2.0 * v3 + v4), change + h / 6.0 * (d1 + 2.0 * d2 + 2.0 * d3 + d4)

    List.fold step (points, Tensor.zeros points.DType [ points.Shape[0] ]) [ 0 .. steps - 1 ]

/// ln p of each point, [count]: that of the normal point at the end of its way, and the integral of the divergence.
let logDensity (steps: int) (slope: Slope) (points: Tensor) : Tensor =
    let ends, change = integrate steps slope points
    change - 0.5 * Tensor.sumAxes [ 1 ] (Tensor.square ends) - log (2.0 * Math.PI)

/// The mean of ln p over points, with the divergence as it is.
let logLikelihood flow theta (points: Tensor) : float =
    (Tensor.mean (logDensity flow.Steps (exact flow theta) points)).ToScalar()

/// Adam on minibatches of points, towards the largest likelihood. The divergence is estimated afresh in each step.
let train (flow: Flow) (key: Key) (steps: int) (batch: int) (points: Tensor) : Tensor =
    let mutable theta = Network.initialize (key.FoldIn 0u) points.DType flow.Network
    let mutable optimizer = Optimizer.adam 0.01

    for step in 1..steps do
        let keys = (key.FoldIn(uint32 step)).Split 2
        let rows = Array.truncate batch (Batches.shuffled keys[0] points.Shape[0])
        let own = Batches.rows rows points
        let loss theta = -(Tensor.mean (logDensity flow.Steps (estimated flow theta keys[1]) own))
        let struct (next, following) = optimizer.Step(theta, grad loss theta)
        theta <- next
        optimizer <- following

    theta

/// The mean of ln p over `held` points, for the normal density with the mean and covariance of other points [count; 2].
let gaussianLogLikelihood (points: Tensor) (held: Tensor) : float =
    let mean = Tensor.meanAxes [ 0 ] points
    let centred = points - mean
    let covariance = Tensor.matmul (Tensor.transpose centred) centred * (1.0 / float points.Shape[0])
    let entry (i: int) (j: int) = float covariance[i, j]
    let a, b, d = entry 0 0, entry 0 1, entry 1 1
    let determinant = a * d - b * b
    let inverse = tensor [ [ d; -b ]; [ -b; a ] ] * (1.0 / determinant)
    let away = held - mean
    let form = Tensor.sumAxes [ 1 ] (away * Tensor.matmul away inverse)
    -0.5 * (Tensor.mean form).ToScalar() - 0.5 * log determinant - log (2.0 * Math.PI)
