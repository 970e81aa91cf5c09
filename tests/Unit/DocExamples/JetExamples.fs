/// The F# of docs/jets.md.
module DocExamples.JetExamples

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private f (x: Tensor) = Tensor.stack 0 [ sin (Tensor.sum x); Tensor.dot x x ** 2.0 ]
let private u (x: Tensor) = exp (-0.5 * Tensor.dot x x)
let private x = tensor [ 0.5; -1.0; 0.2 ]
let private v = tensor [ 1.0; 0.0; 2.0 ]

[<Tests>]
let tests =
    testList "DocExamples.JetExamples" [
        test "along a curve" {
            let derivatives = jet 4 f x [ v ] // Df[v], D²f[v, v], D³f[v, v, v], D⁴f[v, v, v, v]
            let value, ofCurve = fjet 2 f x [ v; x ] // along x + t·v + t²/2·x
            let mixed = mixedDerivative f x [ v; x; v + x ] // D³f[v, x, v + x]

            Expect.tensorsClose 1e-13 (jacobianv f x v) derivatives[0]
            Expect.tensorsClose 1e-13 (f x) value
            Expect.tensorsClose 1e-13 (derivatives[1] + jacobianv f x x) ofCurve[1]
            let along w = -(Tensor.sum w).ToScalar()
            let cube = along v * along x * along (v + x) * cos ((Tensor.sum x).ToScalar())
            Expect.tensorsClose 1e-12 (Tensor.scalar DType.Float64 cube) (Tensor.item 0 0 mixed)
        }

        test "sums over directions" {
            let ofBoth = laplacian f x // of both values
            let sigma = tensor [ [ 1.0; 0.0 ]; [ 0.5; 0.5 ]; [ 0.0; 2.0 ] ]
            let generator = 0.5 * weightedLaplacian sigma f x // ½ Σ (σσᵀ)ᵢⱼ ∂ᵢ∂ⱼf
            let ofFourth = biharmonic f x // Σ ∂⁴f/∂xᵢ²∂xⱼ²

            let basis = Tensor.eye DType.Float64 3
            let thirds = sumOfDerivatives 3 basis f x // Σ ∂³f/∂xᵢ³
            let wave = weightedSumOfDerivatives 2 (tensor [ 1.0; -1.0; -1.0 ]) basis f x // ∂₁² − ∂₂² − ∂₃²

            let points = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 100; 3 ]
            let atPoints = Compile.func (vmap (laplacian f)) points // [ 100; 2 ]

            let s = sin (Tensor.sum x)
            let squared = Tensor.dot x x
            Expect.tensorsClose 1e-12 (Tensor.stack 0 [ -3.0 * s; 20.0 * squared ]) ofBoth
            let halfOfSquares = 0.5 * Tensor.sum (Tensor.square (Tensor.sumAxes [ 0 ] sigma))
            Expect.tensorsClose 1e-12 (-halfOfSquares * s) (Tensor.item 0 0 generator)
            Expect.tensorsClose 1e-11 (Tensor.stack 0 [ 9.0 * s; Tensor.scalar DType.Float64 120.0 ]) ofFourth
            Expect.tensorsClose 1e-12 (-3.0 * cos (Tensor.sum x)) (Tensor.item 0 0 thirds)
            Expect.tensorsClose 1e-12 s (Tensor.item 0 0 wave)
            Expect.equal "atPoints.Shape" [| 100; 2 |] atPoints.Shape
        }

        test "in very many dimensions" {
            let n = 1000
            let origin = Tensor.full DType.Float64 [ n ] 0.01

            let stop = StoppingRule.matvecs 100
            let ofMany = StochasticTaylor.laplacian stop (Key.OfSeed 2L) u origin
            printfn $"{ofMany.Value} ± {ofMany.StandardError}"

            // The residual Δu + u − u³ of an Allen–Cahn equation.
            let residual (v: Tensor) =
                let value, derivatives = fjet 2 u origin [ v ]
                derivatives[1] + value - value ** 3.0

            let ofEquation = StochasticTaylor.estimate Probe.rademacher 2 residual stop (Key.OfSeed 3L) origin
            let ofBiharmonic = StochasticTaylor.biharmonic stop (Key.OfSeed 4L) u origin

            let squared = 0.1
            let value = (u origin).ToScalar()
            let truth = (squared - 1000.0) * value

            let within (truth: float) (found: Estimate<float>) =
                Expect.within "the value" (5.0 * found.StandardError) truth found.Value

            within truth ofMany
            within (truth + value - value ** 3.0) ofEquation
            let n = float n
            within ((squared ** 2.0 - 2.0 * (n + 2.0) * squared + n * (n + 2.0)) * value) ofBiharmonic
        }
    ]
