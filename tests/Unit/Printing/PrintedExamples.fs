namespace Curvature.Tests.Unit

open System
open System.Collections.Generic
open System.Threading
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// One of each public type that a public function returns, with the same numbers and times at every run.
module PrintedExamples =

    let private float64 (values: float list) : Tensor = Tensor.ofArray [ values.Length ] (List.toArray values)
    let private ten: Tensor = Tensor.arange DType.Float64 10

    let private ledger = Ledger(64, Cost.products 64, 1.25, StopReason.ErrorReached, IntervalWidth.ofSamples 64, nan)

    let private exactly = Ledger(10, Cost.products 10, 0.5, StopReason.Exact, IntervalWidth.ofRounding, 340.0)
    let private single = Ledger(1, Cost.products 1, 0.01, StopReason.MatvecsSpent, IntervalWidth.ofSamples 1, nan)
    let private estimate = Estimates.scalar 12.4837 1.3123 ledger
    let private diagonal = Estimates.vector (10.0 + ten) (0.1 * (1.0 + ten)) ledger
    let private hessian = LinearOperator.ofMatrix (Tensor.eye DType.Float64 3)

    let private sample: SpectralSample =
        let values = float64 [ 1.0; 2.0; 4.0; 8.0 ]

        let found = StochasticLanczos.sample 2 3 (Key.OfSeed 1L) (LinearOperator.ofDiagonal values)
        found.Of(3, found.Rules, ledger)

    let private network = Network.mlp Layer.tanh [ 2; 3; 2 ]
    let private tensors = network.Layout.Tensors
    let private options = RunOptions.Default.WithBlockSize 8
    let private rule = StoppingRule.orElse (StoppingRule.matvecs 1000) (StoppingRule.relativeError 0.01)

    let private tensorCurvature: TensorCurvature =
        TensorCurvature(Seq.head tensors, estimate, Estimates.scaled 0.1 estimate, diagonal, [||])

    let private score: QuantizationScore =
        QuantizationScore(tensorCurvature, [| 4; 8 |], [| 0.1; 0.01 |], [| estimate; Estimates.scaled 0.1 estimate |])

    let private pairs: EigenPairs =
        EigenPairs(
            {
                Values = [| 211.30067; 53.2 |]
                Vectors = Tensor.eye DType.Float64 2
                Residuals = [| 3.4e-7; 0.21 |]
                IsGood = [| true; false |]
            },
            40,
            1.5,
            false
        )

    let private trained: TrainingResult =
        let validation = { Losses = [| 0.8; 0.5 |]; Best = 2 }
        TrainingResult(ten, [| 0.7; 0.31234567 |], validation, 20, 1.5, TrainingEnd.Patience)

    let private model = QuadraticModel(0.25, [| 0.0; -0.5 |], array2D [ [ 4.0; 0.0 ]; [ 0.0; 2.0 ] ], false)
    let private ofLine = QuadraticModel(0.25, [| -0.5 |], array2D [ [ 4.0 ] ], false)
    let private direction name : Direction = Direction(name, float64 [ 1.0; 0.0 ], Nullable())
    let private axis name : LandscapeAxis = LandscapeAxis(direction name, [| -1.0; 0.0; 1.0 |])

    let private solution status residual : Solution =
        Solution(
            float64 [ 1.0; 2.0 ],
            {
                X = Tensor.zeros DType.Float64 [ 1; 2 ]
                Residuals = [| residual |]
                NormalResiduals = [||]
                Iterations = 12
                Matvecs = 13
                BrokenDown = [||]
                NegativeCurvature = [||]
            },
            [| status |],
            1e-8,
            0.2,
            { What = "diverged"; Advice = "Damp the operator." }
        )

    let private product isBound error : FunctionProduct =
        let row = { Value = ten; Error = error; IsBound = isBound; Length = 2.0; Matvecs = 12 }
        FunctionProduct("sqrt of Hessian", ten, [| row |], 1e-6, 0.2, false)

    let private triplets: SingularTriplets =
        SingularTriplets(
            {
                Values = [| 14.3; 2.5 |]
                Left = Tensor.eye DType.Float64 2
                Right = Tensor.eye DType.Float64 2
                LeftResiduals = [| 3e-9; 0.2 |]
                RightResiduals = [| 4e-9; 0.2 |]
                IsGood = [| true; false |]
            },
            40,
            1.5,
            false
        )

    let private uncertainty = TraceUncertainty(123.456, { Probe = 4.0; Data = 9.0; Joint = 1.0 }, 16, 8, 800)

    let private check = OperatorCheck("symmetry", CheckOutcome.Failed, 0.25, 1e-8, "⟨u, Av⟩ against ⟨Au, v⟩")

    /// A regression y = θx with the posterior at θ = 1 and its relatives.
    let private posterior: LaplacePosterior =
        let x = Tensor.ofArray [ 3; 1 ] [| 1.0; 2.0; -1.0 |]

        Batches.split 3 x (float64 [ 1.5; 1.5; -1.0 ])
        |> Risk.ofModel Reduction.Sum Tensor.matmul (Loss.meanSquaredError Reduction.Sum)
        |> fun risk -> Laplace.fit LaplaceOptions.Default (Likelihood.gaussian 0.25) risk (float64 [ 1.0 ])

    let private uncertainties: obj list =
        [
            SampleOptions.Default
            GradientMoments([| 0.5; 0.25 |], [| 1.0; 2.0 |], float64 [ 0.3; 0.4 ], float64 [ 1.0; 0.5 ])
            NoiseScale(12.4837, 1.3123, 3.0, 0.24, 200, { OfTrace = 0.1; OfSquare = 0.02; Together = 0.0 })
            NoiseScale(infinity, infinity, 3.0, -0.01, 200, { OfTrace = 0.1; OfSquare = 0.02; Together = 0.0 })
            GramMatrix("neural tangent kernel", Tensor.eye DType.Float64 6, 3)
            LaplaceStructure.LowRank 8
            LaplaceOptions.Default
            posterior
            Laplace.predict (Tensor.ofArray [ 2; 1 ] [| 1.0; 3.0 |]) posterior
            Laplace.predictBySamples (Key.OfSeed 3L) 100 (Tensor.ofArray [ 2; 1 ] [| 1.0; 3.0 |]) posterior
            ImportanceCheck(Tensor.zeros DType.Float64 [ 40; 1 ], Array.init 40 (fun i -> 0.01 * float (i % 8)), -8.25)
            ImportanceCheck(Tensor.zeros DType.Float64 [ 2; 1 ], [| 0.0; 3.0 |], -8.25)
            CalibrationBin(0.8, 0.9, 12, 0.84, 0.75)
            Calibration.classes 4 (Tensor.ofIndices [ 4 ] [| 0; 1; 1; 0 |]) (float64 [ 0.1; 0.9; 0.8; 0.6 ])
            Calibration.numbers (float64 [ 0.1; 0.9; -0.8 ]) (float64 [ 0.0; 0.0; 0.0 ]) (float64 [ 1.0; 1.0; 0.5 ])
            Coefficient("weight[0, 2]", 1.2345, 0.123)
            CoefficientTable(
                "the inverse Hessian",
                [| "weight[0]"; "weight[1]"; "bias" |],
                [| 1.2345; -0.034; 120.0 |],
                Tensor.diag (float64 [ 0.01; 0.0025; 16.0 ]),
                1e-12
            )
            ProfileInterval("bias", 1.5, Interval(0.75, 2.5, 0.95), 14)
            InfluenceOptions.Default
            SampleInfluence("influence", [| 0.5; -0.25 |], [| 1e-9; 2e-9 |], solution SolveStatus.Solved 1.2345e-9)
            SampleInfluence(
                "influence",
                [| 0.5; -0.25 |],
                [| infinity; infinity |],
                solution SolveStatus.Solved 1.2345e-9
            )
            SampleInfluence("gradient products", [| 0.5; -0.25 |], [| 0.0; 0.0 |], null)
            RetrainingCheck([| 0; 1; 4 |], [| 1.0; 2.0; 3.0 |], [| 1.1; 1.9; 3.2 |])
        ]

    let private foundations: obj list =
        [
            Key.OfSeed 1L
            float64 [ 1.0; -2.5 ]
            AxisSelection.op_Implicit (Range(Index 1, Index(2, true)))
            AxisSelection.op_Implicit (Index(1, true))
            linearize (fun x -> Tensor.sum (3.0 * x)) (float64 [ 1.0; 2.0 ]) |> snd
            Compile.program (linearize (fun x -> Tensor.sum (3.0 * x)) (float64 [ 1.0; 2.0 ]) |> snd)
            KernelTime("contract 64·64·64 float32", 1.25e-5, 524288.0, 49152L)
            KernelTime("tape of 3 float32", 1.25e-5, 0.0, 49152L)
            Sliding.Default
            Sliding.Default.WithStride(2).WithCeilMode true
            ResizeOptions.Default.WithCoordinates(ResizeCoordinates.Asymmetric).WithScales [ 2.0; 0.5 ]
            CpuDevice(1, InstructionSet.Portable)
            CsvOptions.Default
            CsvOptions.Default.WithHeader(true).WithLabelColumn "class"
            ReadLimits.Default
            LabelledData.create (Tensor.zeros DType.Float64 [ 3; 2 ]) (Tensor.ofIndices [ 3 ] [| 0; 1; 0 |])
            RegressionData.create (Tensor.zeros DType.Float64 [ 3; 2 ]) (Tensor.zeros DType.Float64 [ 3; 1 ])
            ImageSet(Array.zeroCreate 8, [| 0; 1 |], 1, 2, 2)
            (Axis.linear "eigenvalue λ").WithRange(-1.0, 2.5)
            Axis.categories [ "a"; "b" ] "parameter"
            Series.line "density" [| 0.0; 1.0 |] [| 2.0; 3.0 |]
            Series.horizontal "" 0.5
            Chart.create "Density" (Axis.linear "λ") (Axis.logarithmic "density") [
                Series.line "density" [| 0.0; 1.0 |] [| 2.0; 3.0 |]
            ]
        ]

    let private risks: obj list =
        [
            Batch(Tensor.zeros DType.Float64 [ 4; 2 ], Tensor.zeros DType.Float64 [ 4 ])
            BatchOptions.Default.WithShuffling(Key.OfSeed 2L)
            Risk.ofFunction Tensor.sum
            network.Layout
            Seq.head tensors
            ParameterBlock("head", 4, 10)
            (Layer.dense 2 3).Declarations.Head
            Parameters(dict [ "0.weight", ten; "0.bias", ten ] |> Dictionary, Evaluation, (fun _ x -> x), "")
            Layer.dense 2 3
            network
            Optimizer.adam 0.001
            AdamOptions.Default
            Adam.start ten
            TrainingOptions.Default
            trained
            LbfgsOptions.Default
            Likelihood.categorical
            Likelihood.gaussian 2.0
            FisherKind.exact Likelihood.categorical
            hessian
            LossGradient(0.25, ten)
            LossPoint(0.25, float64 [ 1.0; 2.0; 3.0 ], hessian)
        ]

    let private estimates: obj list =
        [
            estimate
            Estimates.scalar 3.887150593238455 1.7e-14 exactly
            Estimates.scalar 2.5 1.0 single
            Estimates.vector (float64 [ 1.234; -5.0 ]) (float64 [ 0.12; 0.034 ]) ledger
            diagonal
            estimate.Interval 0.95
            diagonal.Interval 0.95
            ledger
            exactly
            LawOptions.Default
            Law.unbiased LawOptions.Default 0.0 (fun key -> (Tensor.normal key DType.Float64 []).ToScalar())
            ChosenEstimate(estimate, "XTrace", "the operator claims to be symmetric")
            BlockTrace(ParameterBlock("head", 4, 10), estimate)
            Measurement.trace
            XTrace.estimator
            Probe.rademacher
            rule
            options
            SamplingProgress(64, 12.4837, 1.3123, 1.25, RunForecast.OfSamples 128.0, IntervalWidth.ofSamples 64)
            tensorCurvature
            CurvatureByTensor([| tensorCurvature; tensorCurvature |], estimate, diagonal)
            ActivationTap("layer1", [| 4; 8 |])
            ActivationTrace(ActivationTap("layer1", [| 4; 8 |]), estimate, diagonal, false)
            ActivationTraceOptions.Default
        ]

    let private spectra: obj list =
        [
            sample
            sample.Rules[0]
            SpectrumBounds.Unknown.WithLow 0.0
            Smoothing.papyan
            SpectralDensity([| 0.0; 1.0; 2.0 |], [| 0.1; 0.8; 0.1 |], [| 0.0; 0.01; 0.0 |], 0.123456, ledger)
            CumulativeDensity sample
            ChebyshevSample("Hessian", 1.0, 2.0, [| [| 1.0; 0.5; 0.25 |]; [| 1.0; 0.4; 0.2 |] |], ledger)
            Lanczos.run 2 (Key.OfSeed 1L) (LinearOperator.ofDiagonal (float64 [ 1.0; 2.0; 4.0 ]))
            pairs
            EigenOptions.Default
            PowerStop.residual 1e-6
            SpectralNorm(211.3, 24, (fun _ -> 213.01), ledger)
            StableRank(Estimates.scalar 120.0 4.0 ledger, SpectralNorm(2.0, 24, (fun _ -> 2.02), ledger), 50)
            solution SolveStatus.Solved 1.2345e-9
            solution SolveStatus.Budget 0.012345
            ConjugateGradients.solver
            SolverOptions.Default
            NegativeCurvature(float64 [ 1.0; 0.0 ], -0.3, 0)
            SpectralFunction.inverseSqrt
            SpectralFunction.expOf -0.5
            MatrixFunctionOptions.Default
            product true 3.4e-7
            product false 0.0123
            QuadratureOptions.Default
            triplets
        ]

    let private landscapes: obj list =
        [
            direction "gradient"
            axis "gradient"
            ofLine
            model
            LossLine(direction "gradient", [| -1.0; 0.0; 1.0 |], [| 0.5; 0.25; 0.5 |], ofLine, 3, 0.1)
            LossPlane(axis "eigenvector 1", axis "eigenvector 2", Array2D.create 3 3 0.25, model, 9, 0.2)
            LineDeparture(Nullable -0.3, Nullable())
            LandscapeOptions.Default
            LandscapeProgress(120, 400, 1.5)
            Saliencies(ten, [| 0..9 |], diagonal, lazy [| 0..9 |])
            PruningPoint(100, 0.1, estimate, 12.123456)
            PruningStability([| 0.1; 0.5 |], [| 0.98; 0.91 |], [| 0.9; 0.95 |])
            score
            QuantizationSensitivity([| score; score |], [| 4; 8 |], ledger)
            BitAssignment([| "a"; "b" |], [| 4; 8 |], [| 100; 10 |], 500L, estimate, [| 0.98; 1.0 |])
            RankInterval(1, 3)
            RankingStability([| "a"; "b" |], [| 2.0; 1.0 |], [| [| 2.1; 0.9 |]; [| 1.9; 1.1 |] |], [| 1.0; 1.0 |])
            check
            uncertainty
            Diagnosis(
                "Hessian [3; 3] Float64",
                [ check ],
                uncertainty,
                [ "dropout is random" ],
                { Matvecs = 40; Seconds = 0.25; IsCancelled = false }
            )
            DiagnoseOptions.Default
        ]

    let private block names kind (spectrum: BlockSpectrum) : KroneckerBlock =
        let positions = [| 0 .. spectrum.Inputs * spectrum.Outputs - 1 |]
        KroneckerBlock({ Names = names; Positions = positions }, kind, spectrum, DType.Float64, CpuDevice.Shared)

    let private kronecker: obj list =
        let a, g = Tensor.diag (float64 [ 2.0; 0.5 ]), Tensor.diag (float64 [ 1.0; 3.0; 0.25 ])
        let layer = block [ "0.weight"; "0.bias" ] KroneckerBlockKind.Product (BlockSpectrum.ofFactors a g)
        let scale = block [ "1.weight" ] KroneckerBlockKind.ExactDiagonal (BlockSpectrum.ofDiagonal [| 1.0; 2.0 |])
        let share = Estimates.scalar 0.1234 0.0123 ledger

        [
            KfacKind.gaussNewton
            KfacKind.fisher (FisherKind.exact Likelihood.categorical)
            KfacOptions.Default
            KfacOptions.Default.WithSharing(WeightSharing.Reduce).WithCorrectedEigenvalues true
            layer
            scale
            KroneckerOperator(
                "K-FAC of Gauss-Newton",
                DType.Float64,
                CpuDevice.Shared,
                [| layer |],
                [ "samples are coupled" ]
            )
            KroneckerBlockError(layer, share, estimate)
            KroneckerError(share, estimate, [| KroneckerBlockError(layer, share, estimate) |], share)
        ]

    let private sparse: obj list =
        let cubes (x: Tensor) = Tensor.sum (x * x * x)
        let matrix = SparseMatrix.ofEntries 3 4 [ struct (0, 3, -2.0); struct (2, 0, 0.5) ]

        [
            matrix.Pattern
            matrix
            SparseHessian.at cubes ten
            SparseHessian.prepare cubes ten
            SparseOptions.Default
            SparseOptions.Default.WithRecovery(RecoveryMethod.Substitution).WithMostColours 20
        ]

    let private training: obj list =
        let risk = Risk.ofFunction Tensor.sum

        let sharpness: SharpnessFound =
            {
                Largest = 12.5
                Least = -0.25
                Residual = 0.0125
                Steps = 6
                Dimension = 100
                RandomShare = 0.1
                IsInvariant = false
                Rounding = 1e-12
                Seconds = 0.25
            }

        let trace: TraceFound =
            {
                Value = 48.37
                Error = 1.3
                Forms = 8
                Law = SampleLaw.ofForms 1.0 8 0.0
                Seconds = 0.25
            }

        let found: MonitorFound =
            {
                Step = 40
                Loss = 0.3125
                Rate = 0.05
                Sharpness = sharpness
                Trace = trace
                Noise = ValueNone
                Seconds = 0.5
                ShareSpent = 0.0493
            }

        [
            MonitorOptions.Default
            MonitorRecord found
            Monitor.create MonitorOptions.Default risk
            AdaHessianOptions.Default
            SophiaOptions.Hutchinson
            SophiaOptions.GaussNewtonBartlett Likelihood.categorical
            NewtonCgOptions.Default
            NaturalGradientOptions.Of network.Layout
            DescentStep(ten, Optimizer.adam 0.001, 0.3125)
            Descent risk
            FieldSketch(Tensor.eye DType.Float64 3, 2, 12)
        ]

    /// All of them, each with the name of its type as F# writes it.
    let all: obj list =
        foundations @ risks @ estimates @ spectra @ landscapes @ uncertainties @ kronecker @ sparse @ training
